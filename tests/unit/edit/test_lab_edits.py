"""What people do to a lab: machines, volumes and checks come, go and change their names, with all that names them."""

import pytest

from generator.edit.changes import EditRefused
from generator.edit.lab import (
    add_check,
    add_machine,
    add_volume,
    remove_check,
    remove_machine,
    remove_volume,
    rename_machine,
    set_value,
)

HEAD = "version: 1\ntitle: A lab\nstudents: 2\n"
LAB = (
    HEAD
    + """
machines:
  web: {type: webserver}   # the server
  desk: {type: debian}

volumes:
  home: {machines: [web, desk]}
  data:
    machines:
      - desk

checks:
  - name: web answers
    http: {machine: web, from: desk}
  - name: the desk is there
    exec: {machine: desk, run: "ping -c1 web"}

solution: {web: files/solve.sh}
"""
)


def refused(edit, *arguments):
    with pytest.raises(EditRefused) as told:
        edit(*arguments)
    return told.value.message


def edited(edit, text, *arguments):
    return edit(text.encode(), *arguments).decode()


def test_a_machine_is_added_and_removed_again():
    added = add_machine(LAB.encode(), "router", {"type": "debian", "forward": True})
    assert b"  router: {type: debian, forward: true}\n" in added
    assert remove_machine(added, "router").decode() == LAB


def test_the_first_machine_brings_its_heading():
    assert edited(add_machine, HEAD, "web", {"type": "debian"}) == HEAD + "machines:\n  web: {type: debian}\n"
    assert edited(add_machine, HEAD + "machines:\n", "web", {"type": "debian"}).endswith(
        "machines:\n  web: {type: debian}\n"
    )
    assert edited(add_machine, HEAD + "machines: {}\n", "b", {"type": "x"}).endswith("machines:\n  b: {type: x}\n")


def test_a_machine_that_is_there_is_not_added():
    assert refused(add_machine, LAB.encode(), "web", {}) == "there is a machine 'web' already, in line 6"


def test_a_machine_that_is_named_is_not_removed():
    assert refused(remove_machine, LAB.encode(), "web") == (
        "the machine 'web' is still named in line 17 (checks[0].http.machine), line 10 (volumes.home.machines[0]), "
        "line 21 (solution.web); change that first"
    )


def test_a_machine_that_is_not_there_is_not_removed():
    assert refused(remove_machine, LAB.encode(), "wob") == "there is no machine 'wob' in this lab; there is web, desk"
    assert refused(rename_machine, HEAD.encode(), "wob", "web") == "there is no machine 'wob' in this lab"


def test_the_last_machine_goes_only_when_the_lab_has_kubernetes():
    alone = HEAD + "machines:\n  web: {type: debian}\n"
    assert "the only machine" in refused(remove_machine, alone.encode(), "web")
    assert edited(remove_machine, alone + "kubernetes: {}\n", "web") == HEAD + "kubernetes: {}\n"


def test_a_machine_changes_its_name_wherever_it_is_named():
    after = edited(rename_machine, LAB, "web", "www")
    assert after == (
        LAB.replace("web: {type", "www: {type")
        .replace("[web, desk]", "[www, desk]")
        .replace("machine: web", "machine: www")
        .replace("{web: files", "{www: files")
    )
    assert edited(rename_machine, after, "www", "web") == LAB
    assert edited(rename_machine, LAB, "web", "web") == LAB


def test_a_machine_does_not_take_the_name_of_another():
    assert refused(rename_machine, LAB.encode(), "web", "desk") == "there is a key 'machines.desk' already"


def test_volumes_come_and_go():
    added = edited(add_volume, LAB, "more", {"size": "1GiB"})
    assert "      - desk\n  more:\n    size: 1GiB\n\nchecks" in added
    assert edited(remove_volume, added, "more") == LAB
    assert edited(add_volume, HEAD, "home", {}) == HEAD + "volumes:\n  home: {}\n"
    assert "there is a volume 'home' already" in refused(add_volume, LAB.encode(), "home", {})
    assert refused(remove_volume, HEAD.encode(), "home") == "there is no volume 'home' in this lab"


def test_after_the_last_volume_there_are_none():
    assert edited(remove_volume, HEAD + "volumes:\n  home: {}\n", "home") == HEAD + "volumes: {}\n"


def test_checks_come_and_go():
    check = {"name": "ssh: open", "tcp": {"machine": "web", "port": 22}}
    added = edited(add_check, LAB, check)
    assert '  - name: "ssh: open"\n    tcp: {machine: web, port: 22}\n\nsolution' in added
    assert edited(remove_check, added, "ssh: open") == LAB
    assert "there is a check 'ssh: open' already" in refused(add_check, added.encode(), check)
    assert refused(remove_check, LAB.encode(), "x") == "there are no checks 'x' in this lab"


def test_the_first_check_brings_its_heading_and_the_last_takes_it_along():
    check = {"name": "ssh", "tcp": {"machine": "web", "port": 22}}
    added = edited(add_check, HEAD, check)
    assert added == HEAD + "checks:\n  - name: ssh\n    tcp: {machine: web, port: 22}\n"
    assert edited(remove_check, added, "ssh") == HEAD
    assert "- name: ssh\n" in edited(add_check, HEAD + "checks: []\n", check)


def test_two_checks_of_one_name_are_for_hands():
    twice = LAB.replace("the desk is there", "web answers").encode()
    assert refused(remove_check, twice, "web answers") == "there are 2 checks 'web answers' in this lab"


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("students",), "students.csv", "students: students.csv\n"),
        (("machines", "web", "cpu"), 2, "  web: {type: webserver, cpu: 2}   # the server\n"),
        (("volumes", "data", "size"), "2GiB", "    size: 2GiB\n"),
        (("schedule", "due"), "2026-12-01T23:59:00Z", 'schedule: {due: "2026-12-01T23:59:00Z"}\n'),
        (
            ("network", "internet"),
            [{"host": "deb.debian.org", "ports": [443]}],
            "network: {internet: [{host: deb.debian.org, ports: [443]}]}\n",
        ),
        (("checks", 1, "points"), 2, "    points: 2\n"),
    ],
)
def test_a_value_finds_its_place_whether_or_not_it_is_there(path, value, line):
    lines = edited(set_value, LAB, path, value).splitlines(keepends=True)
    assert line in lines
    assert set(LAB.splitlines(keepends=True)) - set(lines) <= {
        "students: 2\n",
        "  web: {type: webserver}   # the server\n",
    }


def test_a_key_without_a_value_gets_one():
    assert edited(set_value, "networks:\n  lan: # first\n", ("networks", "lan", "x"), 1).startswith(
        "networks:\n  lan: "
    )


def test_a_list_item_that_is_not_there_has_no_place():
    assert refused(set_value, LAB.encode(), ("checks", 7, "points"), 2) == "there is no 'checks[7]' in this file"


def test_a_broken_spec_is_refused_by_every_edit_with_its_problems():
    for edit, *arguments in (
        (add_machine, "a", {}),
        (remove_check, "a"),
        (rename_machine, "a", "b"),
        (set_value, (), 1),
    ):
        with pytest.raises(EditRefused) as told:
            edit(b"a: 1\na: 2\n", *arguments, "labs/net101/x.lab.yaml")
        assert [(problem.code, problem.file) for problem in told.value.diagnostics] == [
            ("PRA003", "labs/net101/x.lab.yaml")
        ]
