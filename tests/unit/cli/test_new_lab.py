"""`practicum new` and `explain`: what a professor meets first."""

import click
import pytest
import yaml
from university import Said

from generator.new_lab import example_names, lab_name_near, new_spec
from practicum.cli import new as module

LAB = "labs/net101/firewalls.lab.yaml"


@pytest.fixture
def terminal(monkeypatch):
    """Make questions possible, and answer them."""

    def answer(*answers):
        left = list(answers)

        def prompt(text, default=None, type=None, value_proc=None, **_rest):
            if not left:
                raise click.Abort
            given = left.pop(0) or default
            return value_proc(given) if value_proc else given

        monkeypatch.setattr(module.sys.stdin, "isatty", lambda: True)
        monkeypatch.setattr(click, "prompt", prompt)
        return left

    return answer


@pytest.mark.parametrize("kind", ["webserver", "debian", "database", "desktop"])
@pytest.mark.parametrize("title", ["Packet filtering", 'Say "no": a & b # c', "yes", "1.10", "Über \\ Netze", "- x"])
def test_a_new_spec_is_valid_whatever_its_title(university, kind, title):
    said = university("new", "net101/firewalls", "--title", title, "--type", kind)
    assert said.code == 0
    assert university("validate").code == 0
    document = yaml.safe_load((university.root / LAB).read_text())
    assert document["title"] == title
    (machine,) = document["machines"].values()
    assert machine["type"] == kind
    assert document["checks"][0]["tcp"]["machine"] in document["machines"]


def test_its_first_line_lets_editors_find_the_schema(university):
    university("new", "net101/firewalls")
    first = (university.root / LAB).read_text().splitlines()[0]
    path = first.removeprefix("# yaml-language-server: $schema=")
    assert (university.root / "labs/net101" / path).resolve() == (university.root / "schemas/lab.schema.json").resolve()


def test_every_commented_line_of_the_spec_is_valid_too(university):
    university("new", "net101/firewalls")
    university.write("labs/net101/files/prepare.sh", "#!/bin/sh\n")
    university.write("labs/net101/files/task.txt.j2", "{{ student.id }}\n")
    lines = (university.root / LAB).read_text().splitlines()
    code = [line.replace("# ", "", 1) if line.lstrip().startswith(("# memory", "# packages", "# run", "# files",
            "#   - {", "# volumes", "#   home", "# network", "# - name", "#   exec", "#   when", "#   points"))
            else line for line in lines]  # fmt: skip
    assert sum(a != b for a, b in zip(lines, code, strict=True)) == 12
    university.write(LAB, "\n".join(code) + "\n")
    said = university("validate")
    assert said.code == 0, said.out


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Net101/Firewalls!", "net101/firewalls"),
        ("net_101/My Lab", "net-101/my-lab"),
        ("net101", None),
        ("a/b/c", None),
    ],
)
def test_a_bad_name_is_refused_with_the_rule_and_a_suggestion(university, name, near):
    assert lab_name_near(name) == near
    before = university.files()
    said = university("new", name)
    assert said.code == 2
    assert "lower-case letters" in said.err or "COURSE/LAB" in said.err
    assert near is None or f"did you mean '{near}'?" in said.err
    assert university.files() == before


@pytest.mark.parametrize("options", [["--type", "webserv"], ["--students", "0"], ["--students", "many"],
    ["--students", "../x.csv"], ["--from", "firewal"], ["--from", "firewall", "--students", "3"]])  # fmt: skip
def test_bad_options_leave_nothing(university, options):
    before = university.files()
    assert university("new", "net101/firewalls", *options).code == 2
    assert university.files() == before


def test_without_a_terminal_nothing_is_asked(university):
    assert university("new", "net101/firewalls").code == 0
    assert yaml.safe_load((university.root / LAB).read_text())["students"] == 30


def test_a_terminal_is_asked_three_questions(university, terminal):
    left = terminal("My lab", "database", "12")
    said = university("new", "net101/firewalls")
    assert (said.code, left) == (0, [])
    assert "PostgreSQL" in said.out
    document = yaml.safe_load((university.root / LAB).read_text())
    assert (document["title"], document["students"]) == ("My lab", 12)
    assert document["machines"] == {"db": {"type": "database"}}


def test_flags_in_a_terminal_ask_nothing(university, terminal):
    terminal()
    assert university("new", "net101/firewalls", "--students", "3").code == 0


@pytest.mark.parametrize("answers", [(), ("My lab",), ("My lab", "database")])
def test_an_interrupt_leaves_nothing(university, terminal, answers):
    terminal(*answers)
    before = university.files()
    assert university("new", "net101/firewalls").code == 130
    assert university.files() == before


def test_a_roster_that_is_not_there_begins_with_its_heading(university):
    said = university("new", "net101/firewalls", "--students", "students.csv")
    assert "a line for each student" in said.out
    roster = university.root / "labs/net101/students.csv"
    assert roster.read_text() == "login,name,email,group\n"
    roster.write_text(roster.read_text() + "ada,Ada,ada@example.org,1\n")
    assert university("validate").code == 0


def test_a_roster_that_is_there_is_left_alone(university):
    university.write("labs/net101/students.csv", "login\nada\n")
    university("new", "net101/firewalls", "--students", "students.csv")
    assert (university.root / "labs/net101/students.csv").read_text() == "login\nada\n"


@pytest.mark.parametrize("name", example_names())
def test_a_lab_from_an_example_has_all_its_files(university, name):
    said = university("new", "net101/mine", "--from", name)
    assert said.code == 0
    assert university("validate", "net101/mine").code == 0
    assert university("generate").code == 0


def test_files_of_others_are_not_overwritten(university):
    university.write("labs/net101/files/task.txt.j2", "mine")
    before = university.files()
    said = university("new", "net101/mine", "--from", "webserver")
    assert said.code == 2
    assert "task.txt.j2 is there already" in said.err
    assert university.files() == before


def test_the_template_stands_alone():
    assert "<" not in new_spec("T", "debian", "3").replace("<T", "")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["machines.type"], "practicum types"),
        ([], "One assignment of one course"),
        (["platform"], "What an environment runs on"),
        (["--platform", "storage"], "LXD pool"),
        (["pra012"], "PRA012: "),
        (["checks", "volumes"], "volumes: Volumes"),
    ],
)
def test_explain(practicum, words, shown):
    said: Said = practicum("explain", *words)
    assert said.code == 0
    assert shown in said.out


@pytest.mark.parametrize(("key", "meant"), [("memory", "machines.NAME.memory"), ("machnes", "machines")])
def test_explain_of_an_unknown_key(practicum, key, meant):
    said = practicum("explain", key)
    assert (said.code, said.out) == (2, "")
    assert f"unknown key '{key}'; did you mean '{meant}'?" in said.err
