"""Who has which seat: ids are stable when people join, leave, return, or change places."""

from datetime import date, timedelta

import pytest

from generator.seats.seat_book import (
    GRACE,
    SeatEntry,
    SeatsExhausted,
    assign,
    highest_number,
    read_seats,
    write_seats,
)
from generator.spec.model import Student

TODAY = date(2026, 9, 1)
LATER = TODAY + timedelta(days=10)


def roster(*logins):
    return [Student(login) for login in logins]


def numbered(count):
    return [Student(None)] * count


def owners(book, state=None):
    return {seat: entry.login for seat, entry in book.items() if state in (None, entry.state)}


def test_a_first_roster_is_numbered_in_its_order():
    book = assign(roster("ada", "bo", "cy"), {}, TODAY)
    assert book == {
        "s001": SeatEntry("ada", "active", TODAY),
        "s002": SeatEntry("bo", "active", TODAY),
        "s003": SeatEntry("cy", "active", TODAY),
    }


def test_the_same_roster_changes_nothing():
    book = assign(roster("ada", "bo"), {}, TODAY)
    assert assign(roster("ada", "bo"), book, LATER) == book


def test_another_order_of_rows_changes_nothing():
    book = assign(roster("ada", "bo", "cy"), {}, TODAY)
    assert assign(roster("cy", "ada", "bo"), book, LATER) == book


def test_who_joins_gets_the_next_number_wherever_the_row_stands():
    book = assign(roster("ada", "bo"), {}, TODAY)
    joined = assign(roster("new", "ada", "bo"), book, LATER)
    assert joined == {**book, "s003": SeatEntry("new", "active", LATER)}


def test_who_leaves_keeps_the_seat_for_a_grace_period():
    book = assign(roster("ada"), assign(roster("ada", "bo"), {}, TODAY), LATER)
    assert book["s002"] == SeatEntry("bo", "leaving", TODAY, LATER + GRACE)
    assert owners(book, "active") == {"s001": "ada"}


def test_the_grace_period_is_counted_once():
    left = assign(roster("ada"), assign(roster("ada", "bo"), {}, TODAY), TODAY)
    assert assign(roster("ada"), left, LATER) == left


def test_who_returns_has_the_old_seat():
    left = assign(roster("ada"), assign(roster("ada", "bo"), {}, TODAY), TODAY)
    back = assign(roster("ada", "bo"), left, LATER)
    assert back["s002"] == SeatEntry("bo", "active", TODAY)


def test_an_id_is_never_given_to_another_person():
    book, seen = {}, {}
    for names in (("ada", "bo"), ("bo", "cy"), ("dee",), ("ada", "eve"), ("bo", "cy", "dee", "fay")):
        book = assign(roster(*names), book, TODAY)
        for seat, login in owners(book).items():
            assert seen.setdefault(seat, login) == login
    assert owners(book) == {"s001": "ada", "s002": "bo", "s003": "cy", "s004": "dee", "s005": "eve", "s006": "fay"}


def test_another_login_is_another_person():
    book = assign(roster("ada"), {}, TODAY)
    assert owners(assign(roster("ada2"), book, TODAY), "active") == {"s002": "ada2"}


def test_a_login_in_other_letters_is_the_same_person_and_the_newest_spelling_counts():
    book = assign(roster("Ada", "bo"), assign(roster("ada"), {}, TODAY), LATER)
    assert book == {"s001": SeatEntry("Ada", "active", TODAY), "s002": SeatEntry("bo", "active", LATER)}


def test_several_who_join_at_once_get_different_numbers():
    book = assign(roster("ada"), {}, TODAY)
    assert owners(assign(roster("x", "ada", "y", "z"), book, TODAY)) == {
        "s001": "ada",
        "s002": "x",
        "s003": "y",
        "s004": "z",
    }


def test_numbered_seats_have_no_owner():
    assert owners(assign(numbered(3), {}, TODAY)) == {"s001": None, "s002": None, "s003": None}


def test_a_smaller_number_lets_the_last_seats_leave_and_a_larger_one_brings_them_back():
    book = assign(numbered(4), {}, TODAY)
    fewer = assign(numbered(2), book, LATER)
    assert list(owners(fewer, "leaving")) == ["s003", "s004"]
    more = assign(numbered(5), fewer, LATER)
    assert [entry.state for entry in more.values()] == ["active"] * 5
    assert more["s003"] == SeatEntry(None, "active", TODAY)
    assert more["s005"].since == LATER


def test_from_a_number_to_a_roster_nobody_gets_a_seat_that_another_claimed():
    book = assign(roster("ada", "bo"), assign(numbered(3), {}, TODAY), LATER)
    assert owners(book, "active") == {"s004": "ada", "s005": "bo"}
    assert owners(book, "leaving") == {"s001": None, "s002": None, "s003": None}


def test_from_a_roster_to_a_number_seats_keep_their_owners():
    book = assign(numbered(3), assign(roster("ada", "bo"), {}, TODAY), LATER)
    assert owners(book) == {"s001": "ada", "s002": "bo", "s003": None}


@pytest.mark.parametrize(("book", "highest"), [({}, 0), ({"s002": None, "s010": None}, 10), ({"s1000": None}, 1000)])
def test_the_highest_number_counts_those_who_left(book, highest):
    assert highest_number(dict.fromkeys(book, SeatEntry("x", "leaving", TODAY))) == highest


def test_the_book_is_written_by_number_and_read_back():
    people = [f"p{number}" for number in range(1, 1002)]
    book = assign(roster(*people[1:]), assign(roster(*people), {}, TODAY), LATER)
    document = write_seats(dict(reversed(book.items())))
    assert list(document)[:2] == ["s001", "s002"]
    assert list(document)[-2:] == ["s1000", "s1001"]
    assert document["s001"] == {"login": "p1", "state": "leaving", "since": "2026-09-01", "until": "2026-10-11"}
    assert document["s002"] == {"login": "p2", "state": "active", "since": "2026-09-01", "until": None}
    assert read_seats(document) == book


def test_dates_may_be_read_as_dates_or_text():
    entry = {"login": None, "state": "leaving", "since": TODAY, "until": "2026-10-01"}
    assert read_seats({"s001": entry})["s001"] == SeatEntry(None, "leaving", TODAY, date(2026, 10, 1))


def test_the_case_of_a_login_does_not_matter_and_the_newest_spelling_counts():
    book = assign(roster("Ada", "STRASSE"), {}, TODAY)
    later = assign(roster("ada", "straße", "Cy"), book, LATER)
    assert owners(later, "active") == {"s001": "ada", "s002": "straße", "s003": "Cy"}
    assert later["s001"] == SeatEntry("ada", "active", TODAY)


def test_who_comes_back_in_another_spelling_has_the_same_seat():
    left = assign(roster("bo"), assign(roster("ada", "bo"), {}, TODAY), TODAY)
    assert owners(assign(roster("ADA", "bo"), left, LATER), "active") == {"s001": "ADA", "s002": "bo"}


GOOD = {"login": "ada", "state": "active", "since": "2026-09-01", "until": None}


@pytest.mark.parametrize(
    ("seat", "entry"),
    [
        ("s001", None),
        ("s001", []),
        ("s001", {"login": "ada", "state": "active", "since": "2026-09-01"}),
        ("s001", {**GOOD, "state": "gone"}),
        ("s001", {**GOOD, "state": ["active"]}),
        ("s001", {**GOOD, "login": 7}),
        ("s001", {**GOOD, "since": "yesterday"}),
        ("s1", GOOD),
        ("prof", GOOD),
        (1, GOOD),
    ],
)
def test_a_book_that_cannot_be_right_is_not_read(seat, entry):
    with pytest.raises(ValueError, match=f"the entry of '{seat}'"):
        read_seats({seat: entry})


def test_ids_end_where_no_bridge_could_carry_them():
    book = {"s9998": SeatEntry("ada", "active", TODAY)}
    assert owners(assign(roster("ada", "bo"), book, TODAY)) == {"s9998": "ada", "s9999": "bo"}
    with pytest.raises(SeatsExhausted, match="no id is left for 2 of 4 students: s9999 is the last one"):
        assign(roster("ada", "bo", "cy", "dee"), book, TODAY)
    with pytest.raises(SeatsExhausted, match="no id is left for 1 of 10000"):
        assign(numbered(10_000), {}, TODAY)


def test_a_book_with_an_id_beyond_the_last_is_none_of_ours():
    entry = {"login": "ada", "state": "active", "since": "2026-09-01", "until": None}
    assert list(read_seats({"s9999": entry})) == ["s9999"]
    with pytest.raises(ValueError, match="s10000"):
        read_seats({"s10000": entry})
