"""What changes when a roster or a spec changes: only what the change is about."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab_strategies import LAB, LOGINS, MACHINE_NAMES, TODAY, Repository, repositories, rosters, rows_of

from generator.generate import generate
from generator.render.tree import addresses_path, lab_folder, seats_path

CALM = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
SEATS = seats_path(LAB)


def differing(before, after):
    """Return the paths that two trees do not have alike."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def seat_file(seat):
    return f"{lab_folder('prod', LAB)}/lxd/{seat}.yaml"


@CALM
@given(repositories(rosters()), st.data())
def test_other_personal_data_of_a_row_changes_nothing(repository, data):
    generated = repository.generated()
    rows = [(login, f"Other {login}", "", "group-b") for login in repository.logins]
    changed = generated.with_roster(data.draw(st.permutations(rows)))
    assert generate(changed.edition()) == {}
    assert differing(generated.prod(), changed.prod()) == set()


@CALM
@given(repositories(rosters()), LOGINS, st.integers(0, 5))
def test_a_new_student_adds_one_file_and_changes_no_other(repository, login, place):
    if login.casefold() in {known.casefold() for known in repository.logins}:
        return
    generated = repository.generated()
    logins = [*repository.logins]
    logins.insert(place, login)
    changed = generated.with_roster(rows_of(logins))
    assert set(generate(changed.edition())) == {SEATS}
    assert differing(generated.prod(), changed.prod()) == {seat_file(f"s{len(logins):03d}")}


@CALM
@given(repositories(rosters(min_size=2)), st.data())
def test_who_leaves_changes_only_the_own_file(repository, data):
    generated = repository.generated()
    gone = data.draw(st.integers(0, len(repository.logins) - 1))
    rest = [login for number, login in enumerate(repository.logins) if number != gone]
    changed = generated.with_roster(rows_of(rest))
    assert set(generate(changed.edition())) == {SEATS}
    seat = seat_file(f"s{gone + 1:03d}")
    before, after = generated.prod(), changed.prod()
    assert differing(before, after) == {seat}
    assert after[seat] == before[seat].replace(b"\npower: running\n", b"\npower: stopped\n")


@CALM
@given(repositories(rosters(min_size=2)), st.data())
def test_who_returns_has_exactly_what_was_there_before(repository, data):
    generated = repository.generated()
    rest = repository.logins[: data.draw(st.integers(1, len(repository.logins)))]
    left = generated.with_roster(rows_of(rest)).generated()
    back = left.with_roster(rows_of(repository.logins)).generated()
    assert back.prod() == generated.prod()
    assert back.content[SEATS] == generated.content[SEATS]


@CALM
@given(repositories(st.integers(1, 4)), st.integers(1, 4))
def test_more_or_fewer_numbered_seats_change_only_the_last_ones(repository, count):
    generated = repository.generated()
    before = repository.document["students"]
    changed = generated.edited({**repository.document, "students": count})
    assert set(generate(changed.edition())) == ({SEATS} if count != before else set())
    touched = range(min(before, count) + 1, max(before, count) + 1)
    assert differing(generated.prod(), changed.prod()) == {seat_file(f"s{number:03d}") for number in touched}


@settings(CALM, max_examples=10)
@given(repositories(st.just(60)))
def test_a_class_that_outgrows_its_block_moves_nobody(repository):
    generated = repository.generated()
    changed = generated.edited({**repository.document, "students": 61})
    assert set(generate(changed.edition())) == {SEATS, addresses_path("prod")}
    # The professor's ACL names the blocks of the class.
    assert differing(generated.prod(), changed.prod()) == {seat_file("s061"), seat_file("prof")}


@CALM
@given(repositories(), MACHINE_NAMES, st.integers(0, 5), st.randoms())
def test_a_new_machine_changes_the_address_of_no_other(repository, name, place, random):
    machines = [*repository.document["machines"].items()]
    if name in repository.document["machines"]:
        return
    generated = repository.generated()
    entry = {"type": "debian"}
    machines.insert(place, (name, entry))
    random.shuffle(machines)
    changed = generated.edited({**repository.document, "machines": dict(machines)}).generated()
    for environment in ("dev", "prod"):
        before, after = (kept.edition().labs[0].addresses[environment] for kept in (generated, changed))
        assert after.blocks == before.blocks
        assert {machine: after.hosts[machine] for machine in before.hosts} == before.hosts
        assert after.hosts[name] not in before.hosts.values()


@CALM
@given(repositories(rosters()))
def test_a_later_day_changes_nothing(repository):
    generated = repository.generated()
    assert generate(generated.edition(today=TODAY.replace(year=2031))) == {}


@CALM
@given(repositories())
def test_a_lab_that_is_gone_keeps_its_addresses_from_others(repository):
    content = repository.generated().content
    content["labs/net101/other.lab.yaml"] = content.pop(f"labs/{LAB}.lab.yaml")
    edition = Repository(content, repository.document).edition("net101/other")
    for environment in ("dev", "prod"):
        old, new = (edition.books[environment][lab].blocks for lab in (LAB, "net101/other"))
        assert not set(old) & set(new)
