"""One reading of a repository: all problems at once, all labs side by side, and only what has to change."""

import os
import subprocess
import sys
from datetime import date
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

import pytest
import yaml

from generator.catalogue.load import load_catalogue
from generator.generate import find_labs, generate, read_addresses, read_edition, read_seat_book, render
from generator.spec.sources import MappingSources

TODAY = date(2026, 9, 1)
CATALOGUE = load_catalogue()
SPEC = "version: 1\ntitle: T\nstudents: {students}\nmachines:\n  web: {{type: {kind}}}\n"
FIREWALLS, ROUTING = "net101/firewalls", "net101/routing"
SEATS = "labs/net101/firewalls.seats.yaml"


def repository(**labs):
    """Return sources with specs in the course net101; each value is (students, type) or a whole spec."""
    texts = {
        name: spec if isinstance(spec, str) else SPEC.format(students=spec[0], kind=spec[1])
        for name, spec in labs.items()
    }
    return {f"labs/net101/{name}.lab.yaml": text.encode() for name, text in texts.items()}


def read(content, *labs, today=TODAY):
    sources = MappingSources(content)
    return read_edition(sources, CATALOGUE, labs or find_labs(sources), today)


def written(content, *labs):
    """Return the repository after `generate`."""
    changes = generate(read(content, *labs))
    return {path: data for path, data in {**content, **changes}.items() if data is not None}


def test_labs_are_found_by_their_ending():
    content = repository(b=(1, "debian"), a=(1, "debian"))
    content |= {"labs/net101/notes.yaml": b"", "labs/db201/c.lab.yaml": b"", "elsewhere/x.lab.yaml": b""}
    assert find_labs(MappingSources(content)) == ["db201/c", "net101/a", "net101/b"]


def test_all_problems_of_all_labs_are_told_sorted_and_once():
    edition = read(repository(b=(0, "webserv"), a=(1, "nothing")))
    assert edition.failed
    assert [(problem.file, problem.code) for problem in edition.diagnostics] == [
        ("labs/net101/a.lab.yaml", "PRA012"),
        ("labs/net101/b.lab.yaml", "PRA045"),
        ("labs/net101/b.lab.yaml", "PRA012"),
    ]
    assert edition.labs == ()


def test_a_good_lab_beside_a_bad_one_is_still_read():
    edition = read(repository(a=(1, "nothing"), b=(1, "debian")))
    assert edition.failed
    assert [state.lab.key for state in edition.labs] == ["net101/b"]


def test_labs_of_one_run_get_different_addresses():
    edition = read(repository(firewalls=(70, "debian"), routing=(1, "debian")))
    blocks = {lab: [str(block) for block in entry.blocks] for lab, entry in edition.books["prod"].items()}
    assert blocks == {FIREWALLS: ["10.72.0.0/20", "10.72.16.0/20"], ROUTING: ["10.72.32.0/20"]}
    assert [str(block) for block in edition.books["dev"][FIREWALLS].blocks] == ["10.64.0.0/20"]


def test_generating_one_lab_leaves_the_entries_of_others():
    content = written(repository(firewalls=(1, "debian"), routing=(1, "debian")))
    changed = {**content, **repository(routing=(100, "webserver"))}
    changes = generate(read(changed, ROUTING))
    assert all("firewalls" not in path for path in changes)
    book = read_addresses(MappingSources({**changed, **changes}), "prod")
    assert book[FIREWALLS] == read_addresses(MappingSources(content), "prod")[FIREWALLS]
    assert len(book[ROUTING].blocks) == 2


def test_generate_writes_dev_and_the_books_of_both_environments_only():
    paths = set(generate(read(repository(firewalls=(2, "debian")))))
    folder = "environments/dev/net101/firewalls/lxd"
    assert paths == {
        f"{folder}/shared.yaml",
        f"{folder}/prof.yaml",
        f"{folder}/pilot.yaml",
        "environments/dev/addresses.yaml",
        "environments/prod/addresses.yaml",
        SEATS,
    }


def test_generated_files_that_nothing_wants_any_more_are_removed():
    content = written(repository(firewalls=(2, "debian")))
    folder = "environments/dev/net101/firewalls"
    old = {f"{folder}/lxd/files/abc": b"", f"{folder}/lxd/s001.yaml": b"", f"{folder}/kubernetes/base/x.yaml": b""}
    kept = {f"{folder}/release.json": b"{}", f"{folder}/operation.yaml": b"", f"{folder}2/lxd/prof.yaml": b""}
    assert generate(read({**content, **old, **kept})) == dict.fromkeys(old)


def test_one_changed_byte_is_written_again():
    content = written(repository(firewalls=(2, "debian")))
    path = "environments/dev/net101/firewalls/lxd/prof.yaml"
    changes = generate(read({**content, path: content[path] + b"\n"}))
    assert changes == {path: content[path]}


def test_seats_are_dated_with_the_day_that_was_given():
    content = repository(firewalls=(1, "debian"))
    changes = generate(read(content, today=date(2031, 2, 3)))
    assert str(read_seat_book(MappingSources(changes), FIREWALLS)["s001"].since) == "2031-02-03"


def test_a_lab_that_does_not_fit_is_a_diagnostic_at_the_lab():
    content = repository(a=(1, "debian"), b=(1, "debian"))
    content |= {"environments/prod/platform.yaml": b"addresses: 10.72.0.0/20\n"}
    (problem,) = read(content).diagnostics
    assert (problem.code, problem.file) == ("PRA094", "labs/net101/b.lab.yaml")
    assert "10.72.0.0/20 has 0 free blocks" in problem.message


def test_a_template_that_cannot_be_rendered_is_told_at_its_line():
    spec = SPEC.format(students=1, kind="debian").replace("{type: debian}", "{type: debian, setup: [a.j2]}")
    content = {**repository(firewalls=spec), "labs/net101/a.j2": b"one\n{{ student.nmae }}\n"}
    (problem,) = read(content).diagnostics
    assert (problem.code, problem.file, problem.position.line) == ("PRA056", "labs/net101/a.j2", 2)


def test_files_of_the_same_content_are_stored_once():
    machine = "{type: debian, files: [{from: a, to: /a}, {from: b, to: /b}], run: [a]}"
    spec = SPEC.format(students=1, kind="debian").replace("{type: debian}", machine)
    content = {**repository(firewalls=spec), "labs/net101/a": b"same", "labs/net101/b": b"same"}
    edition = read(content)
    stored = [path for path in render(edition, edition.labs[0], "dev") if "/files/" in path]
    assert len(stored) == 1


def test_leaving_seats_are_stopped_and_active_ones_run():
    content = written(repository(firewalls=(2, "debian")))
    edition = read({**content, **repository(firewalls=(1, "debian"))})
    tree = render(edition, edition.labs[0], "prod")
    power = {
        seat: yaml.safe_load(tree[f"environments/prod/net101/firewalls/lxd/{seat}.yaml"])["power"]
        for seat in ("prof", "s001", "s002")
    }
    assert power == {"prof": "running", "s001": "running", "s002": "stopped"}


def test_the_order_of_hashing_changes_nothing():
    program = (
        "import hashlib; from pathlib import Path; from datetime import date\n"
        "from generator.catalogue.load import load_catalogue\n"
        "from generator.generate import find_labs, generate, read_edition, render\n"
        "from practicum.git.trees import WorkingTree\n"
        "digest = hashlib.sha256()\n"
        "for case in sorted(Path('tests/golden').glob('*/input')):\n"
        "    sources = WorkingTree(case)\n"
        "    edition = read_edition(sources, load_catalogue(), find_labs(sources), date(2026, 9, 1))\n"
        "    digest.update(repr([*generate(edition).items()]).encode())\n"
        "    digest.update(repr([*render(edition, edition.labs[0], 'prod').items()]).encode())\n"
        "print(digest.hexdigest())\n"
    )
    root = Path(__file__).parents[3]

    def digest(seed):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=root, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert digest("1") == digest("2") != ""


ONE_NETWORK = "version: 1\ntitle: T\nstudents: 1\nmachines:\n"
TWO_NETWORKS = ONE_NETWORK.replace("machines:", "networks: {lan: {}, dmz: {}}\nmachines:")


def machines(count, networks=("lan",)):
    """Return machines m0, m1, … in turns on the networks."""
    places = [networks[number % len(networks)] for number in range(count)]
    return "".join(f"  m{number}: {{type: debian, connect: [{place}]}}\n" for number, place in enumerate(places))


@pytest.mark.parametrize(
    ("spec", "codes"),
    [
        (ONE_NETWORK + machines(60), []),
        (ONE_NETWORK + machines(61), ["PRA041"]),
        (TWO_NETWORKS + machines(12, ("lan", "dmz")), []),
        (TWO_NETWORKS + machines(13, ("lan", "dmz")), ["PRA041"]),
    ],
)
def test_what_the_rules_allow_finds_room(spec, codes):
    assert [problem.code for problem in read(repository(firewalls=spec)).diagnostics] == codes


def test_machines_of_a_lab_that_goes_to_several_networks_stand_inside_them():
    content = written(repository(firewalls=ONE_NETWORK + machines(20)))
    fewer = TWO_NETWORKS + "".join(f"  m{number}: {{type: debian, connect: [dmz]}}\n" for number in range(9, 20))
    edition = read({**content, **repository(firewalls=fewer)})
    assert edition.diagnostics == ()
    tree = render(edition, edition.labs[0], "prod")
    document = yaml.safe_load(tree["environments/prod/net101/firewalls/lxd/s001.yaml"])
    texts = [
        entry["config"]["user.practicum.interfaces"].split("address ")[1].split()[0] for entry in document["instances"]
    ]
    places = [IPv4Interface(text) for text in texts]
    assert len(set(places)) == 11
    assert {place.network for place in places} == {IPv4Network("10.72.1.16/28")}
    assert all(place.ip not in (place.network[0], place.network[1], place.network[-1]) for place in places)


def test_a_setup_script_that_is_no_text_is_a_diagnostic():
    spec = SPEC.format(students=1, kind="debian").replace("{type: debian}", "{type: debian, setup: [a.sh]}")
    edition = read({**repository(firewalls=spec), "labs/net101/a.sh": b"\xff\xfe"})
    generate(edition)
    assert edition.failed


@pytest.mark.parametrize("name", ["eth0", "root", "seed"])
def test_a_volume_never_takes_the_place_of_another_device(name):
    spec = SPEC.format(students=1, kind="debian") + f"volumes: {{{name}: {{mount: /srv/x}}}}\n"
    edition = read(repository(firewalls=spec))
    if not edition.failed:
        tree = render(edition, edition.labs[0], "prod")
        document = yaml.safe_load(tree["environments/prod/net101/firewalls/lxd/s001.yaml"])
        assert document["instances"][0]["devices"]["eth0"]["type"] == "nic"
        assert not {"root", "seed"} & document["instances"][0]["devices"].keys()


@pytest.mark.parametrize("path", [SEATS, "environments/prod/addresses.yaml"])
@pytest.mark.parametrize("text", [b"<<<<<<< HEAD\nx: 1\n", b"- a\n", b"s001: {}\n"])
def test_a_broken_book_is_a_diagnostic(path, text):
    content = written(repository(firewalls=(1, "debian")))
    edition = read({**content, path: text})
    assert [problem.file for problem in edition.diagnostics] == [path]


def test_a_template_is_rendered_for_every_seat_that_exists_also_for_those_who_left():
    spec = SPEC.format(students=1, kind="debian").replace("{type: debian}", "{type: debian, setup: [a.j2]}")
    template = b"one\n{% if seat.id == 's002' and environment == 'prod' %}\n{{ nothing }}{% endif %}\n"
    content = {**repository(firewalls=spec), "labs/net101/a.j2": template}
    assert read(content).diagnostics == ()
    grown = written(repository(firewalls=spec.replace("students: 1", "students: 2")) | {"labs/net101/a.j2": b""})
    (problem,) = read({**grown, **content}).diagnostics
    assert (problem.code, problem.position.line) == ("PRA056", 3)
    assert problem.message.endswith("(in the seat s002)")


def test_a_file_that_only_ends_as_one_that_commands_write_is_removed():
    content = written(repository(firewalls=(2, "debian")))
    old = "environments/dev/net101/firewalls/lxd/s999-operation.yaml"
    assert generate(read({**content, old: b""})) == {old: None}
