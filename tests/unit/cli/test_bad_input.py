"""Bad input files end with 65 before any effect, all of them told, in every form."""

import json
import os
from xml.etree import ElementTree

import pytest
from university import GOOD, PLATFORM

BAD = {
    "PRA012": GOOD.replace("webserver", "webserv"),
    "PRA002": GOOD + "\tupdate: keep\n",
    "PRA003": GOOD + "title: Twice\n",
    "PRA044": GOOD.replace("students: 2", "students: 10000"),
    "PRA051": GOOD.replace("{type: webserver}", "{type: webserver, run: [../../secret.sh]}"),
    "PRA020": GOOD.replace("{type: webserver}", "{type: webserver, disks: 3GiB}"),
}
SMALL = PLATFORM.format("10.72.0.0/20")


def put(university, code):
    university.write("environments/prod/platform.yaml", SMALL)
    university.lab(BAD[code])


@pytest.mark.parametrize("code", BAD)
@pytest.mark.parametrize("verb", ["validate", "generate", "pipeline net101/firewalls"])
def test_bad_files_end_with_65_and_nothing_is_written(university, code, verb):
    put(university, code)
    files, head = university.files(), university.head
    said = university(*verb.split())
    assert said.code == 65
    assert code in said.out + said.err
    assert (university.files(), university.head) == (files, head)


def test_all_bad_labs_are_told_at_once(university):
    university.lab(BAD["PRA012"], "net101/one")
    university.lab(BAD["PRA003"], "net101/two")
    university.lab(GOOD, "net101/three")
    said = university("validate")
    assert said.code == 65
    assert "labs/net101/one.lab.yaml:5:15: PRA012 unknown type 'webserv'; did you mean 'webserver'?" in said.out
    assert "labs/net101/two.lab.yaml" in said.out
    assert "3 labs checked, 2 errors" in said.err


def test_only_the_named_lab_is_checked(university):
    university.lab(BAD["PRA012"], "net101/one")
    university.lab(GOOD, "net101/three")
    assert university("validate", "net101/three").code == 0
    assert university("validate", "labs/net101/three.lab.yaml").code == 0
    assert university("validate", university.root / "labs/net101/one.lab.yaml").code == 65


def test_good_labs_end_with_0_and_say_so(university):
    university.lab()
    said = university("validate")
    assert (said.code, said.out) == (0, "")
    assert "1 lab checked, 0 errors" in said.err


def test_json_is_what_the_documentation_promises(university):
    university.lab(BAD["PRA012"])
    said = university("validate", "--format", "json")
    assert said.code == 65
    (problem,) = json.loads(said.out)["diagnostics"]
    assert problem.keys() == {
        "code",
        "severity",
        "file",
        "line",
        "column",
        "end_line",
        "end_column",
        "path",
        "message",
        "hint",
        "docs",
    }
    assert (problem["code"], problem["severity"], problem["line"], problem["column"]) == ("PRA012", "error", 5, 15)
    assert (problem["end_line"], problem["end_column"], problem["path"]) == (5, 22, "machines.web.type")


def test_json_of_good_labs_is_an_empty_list(university):
    university.lab()
    said = university("validate", "--format", "json")
    assert (said.code, json.loads(said.out)) == (0, {"diagnostics": []})


def test_junit_and_codequality_are_readable_by_their_readers(university):
    university.lab(BAD["PRA012"], "net101/one")
    university.lab(GOOD, "net101/two")
    junit = university("validate", "--format", "junit")
    assert junit.code == 65
    root = ElementTree.fromstring(junit.out.strip())
    assert len(list(root.iter("testcase"))) == 2
    assert len(list(root.iter("failure"))) == 1
    quality = university("validate", "--format", "codequality")
    assert [entry["location"]["path"] for entry in json.loads(quality.out)] == ["labs/net101/one.lab.yaml"]


def test_files_are_relative_to_the_working_directory(university, practicum, monkeypatch):
    university.lab(BAD["PRA012"])
    monkeypatch.chdir(university.root / "labs")
    (problem,) = json.loads(practicum("validate", "--format", "json").out)["diagnostics"]
    assert problem["file"] == "net101/firewalls.lab.yaml"


def test_generate_shows_the_line_that_is_wrong_from_anywhere(university):
    university.lab(BAD["PRA012"])
    assert "  web: {type: webserv}" in university("generate").err


def test_a_bad_platform_file_is_bad_input(university):
    university.lab()
    university.write("environments/dev/platform.yaml", "installation: K!\n")
    said = university("generate")
    assert said.code == 65
    assert "environments/dev/platform.yaml:1" in said.err


def test_a_link_that_leaves_the_course_is_bad_input(university):
    university.lab(GOOD.replace("{type: webserver}", "{type: webserver, run: [link.sh]}"))
    outside = university.write("secret.sh", "#!/bin/sh\n")
    (university.root / "labs/net101/link.sh").symlink_to(os.path.relpath(outside, university.root / "labs/net101"))
    said = university("validate")
    assert said.code == 65
    assert "PRA051" in said.out


@pytest.mark.parametrize("path", ["labs/net101/firewalls.seats.yaml", "environments/dev/addresses.yaml"])
def test_a_merge_conflict_in_a_book_is_bad_input(university, path):
    university.deployed()
    university.write(path, "<<<<<<< HEAD\nx: 1\n=======\n")
    said = university("generate")
    assert said.code == 65
    assert path in said.err
