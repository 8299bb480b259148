"""What counts in a folder of collected work: nothing that was taken before the time that it is collected for."""

import pytest

from practicum.stages.collection import opened

LAB = "net101/firewalls"
DUE = "2030-09-14T23:59:00+02:00"
LATER = "2030-09-15T12:00:00+02:00"
MORNING = "20300914t080000z"


@pytest.fixture
def collection(tmp_path):
    with opened(tmp_path / "in", LAB) as found:
        yield found


def take(collection, *seats):
    """Let a run get as far as the archives of seats."""
    for seat in seats:
        collection.grade(seat, "now", {}, [])
        (collection.folder / f"{seat}.tar").touch()
        collection.add({"seat": seat, "file": f"{seat}.tar", "due": collection.due.get(seat, "")})


def has(collection, seat):
    return collection.graded(seat), collection.archived(seat)


def test_a_run_that_was_cut_off_goes_on_under_its_name(collection):
    assert collection.begin(MORNING, {}, {}) is False
    take(collection, "s001")
    assert collection.begin("20300914t090000z", {}, {}) is True
    assert (collection.run_of("s001"), has(collection, "s001")) == (MORNING, (True, True))
    assert has(collection, "s002") == (False, False)
    collection.finish({}, [])
    assert collection.begin("20300914t090000z", {}, {}) is False
    assert has(collection, "s001") == (False, False)


def test_what_is_due_takes_nothing_of_a_run_that_was_cut_off_before(collection):
    collection.begin(MORNING, {}, {})
    take(collection, "s001")
    assert collection.begin("20300914t215900z", {}, {"s001": DUE, "s002": DUE}) is False
    assert has(collection, "s001") == (False, False)
    assert MORNING not in collection.run_of("s001") + collection.run_of("s002")
    take(collection, "s001")
    collection.finish({}, ["s002"])

    # Both go on, each with its own.
    assert collection.begin("20300915t060000z", {}, {}) is True
    assert collection.run_of("s002") == MORNING
    collection.finish({}, [])
    collection.begin("20300915t070000z", {}, {"s001": DUE, "s002": DUE})
    assert (has(collection, "s001"), has(collection, "s002")) == ((True, True), (False, False))
    assert collection.run_of("s001") == collection.run_of("s002")


def test_who_got_more_time_is_collected_anew_for_it(collection):
    collection.begin(MORNING, {}, {"s001": DUE})
    take(collection, "s001")
    before = collection.run_of("s001")
    collection.finish({}, ["s001"])
    collection.begin(MORNING, {}, {"s001": LATER})
    assert (collection.run_of("s001") == before, has(collection, "s001")) == (False, (False, False))


def test_a_time_has_one_name_wherever_it_is_told(collection):
    collection.begin(MORNING, {}, {"s001": DUE, "s002": "2030-09-14T21:59:00+00:00"})
    assert collection.run_of("s001") == collection.run_of("s002")
    # Nobody who collects in that very second has the name.
    assert collection.run_of("s001") != "20300914t215900z"
