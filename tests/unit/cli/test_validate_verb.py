"""What `practicum validate` takes: labs, specs, folders; and reports that every reader can read."""

import json
import os

import pytest
from university import GOOD


def test_a_folder_means_the_labs_in_it_and_each_lab_is_checked_once(university):
    university.lab(GOOD)
    university.write("labs/web101/site.lab.yaml", GOOD + "bad: 1\n")
    said = university("validate", "labs/net101", "net101/firewalls", "labs/net101/firewalls.lab.yaml")
    assert (said.code, said.err) == (0, "1 lab checked, 0 errors\n")
    assert university("validate", "labs").code == 65


@pytest.mark.parametrize("name", ["environments/dev/platform.yaml", "environments/dev", "labs/net101/students.csv"])
def test_what_is_no_spec_is_said_to_be_none(university, name):
    university.lab(GOOD)
    university.write("labs/net101/students.csv", "login\nada\n")
    said = university("validate", name)
    assert said.code == 2
    assert name in said.err
    assert "practicum new" not in said.err


@pytest.mark.parametrize("form", ["json", "codequality"])
def test_a_file_name_that_is_no_text_does_not_spoil_a_report(university, form):
    university.lab(GOOD)
    (university.root / "labs/net101" / os.fsdecode(b"\xff.lab.yaml")).write_text(GOOD)
    said = university("validate", "--format", form)
    assert said.code == 65
    assert "PRA031" in json.dumps(json.loads(said.out.encode()))


def test_the_code_of_a_message_may_lack_its_zeros(university):
    said = university("explain", "PRA12")
    assert said.code == 2
    assert "unknown code 'PRA12'; did you mean 'PRA012'?" in said.err
