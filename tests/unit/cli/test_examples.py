"""The examples that professors start from, and what editors of a new repository are told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from generator.new_lab import example_files, example_names

ROOT = Path(__file__).parents[3]
KINDS = ["database", "desktop", "firewall", "kubernetes", "webserver"]


def test_there_is_one_for_each_kind_of_course():
    assert example_names() == KINDS


@pytest.mark.parametrize("name", KINDS)
def test_each_explains_itself_and_is_valid(university, name):
    text = example_files()[f"{name}.lab.yaml"].decode()
    assert text.count("#") >= 8
    said = university("validate", f"{university.root}/labs/_examples/{name}.lab.yaml")
    assert said.code == 0, said.out
    assert "1 lab checked, 0 errors" in said.err


@pytest.mark.parametrize("name", KINDS)
def test_each_is_rendered(university, name):
    university("new", f"demo/{name}", "--from", name)
    said = university("generate", f"demo/{name}")
    assert said.code == 0, said.err
    shared = yaml.safe_load((university.root / f"environments/dev/demo/{name}/lxd/shared.yaml").read_text())
    assert shared["checks"]


def test_the_folder_of_the_examples_is_no_course(university):
    university.lab()
    assert "1 lab checked, 0 errors" in university("validate").err
    assert university("generate").code == 0
    assert not [path for path in university.files() if path.startswith("environments/dev/_")]
    for verb in ("generate", "plan"):
        assert university(verb, "_examples/firewall").code == 2


def schemas_of(root):
    return json.loads((root / ".vscode/settings.json").read_text())["yaml.schemas"]


def test_editors_find_the_schemas_and_hold_every_file_against_them(university):
    university("new", "net101/firewalls")
    checked = 0
    for path, pattern in schemas_of(university.root).items():
        check = Draft202012Validator(json.loads((university.root / path).read_text()))
        for file in university.root.glob(pattern):
            check.validate(yaml.safe_load(file.read_text()))
            checked += 1
    assert checked == len(KINDS) + 1 + 2
    assert not check.is_valid({"instalation": "x"})


def test_this_repository_tells_editors_the_same(university):
    assert schemas_of(ROOT) == schemas_of(university.root)
    assert all((ROOT / path).is_file() for path in schemas_of(ROOT))


def test_the_hook_runs_for_what_validate_reads():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    config = yaml.safe_load((ROOT / "practicum/git/templates/pre-commit-config.yaml").read_text())
    (own,) = config["repos"][0]["hooks"]
    for key in ("id", "entry", "files", "pass_filenames"):
        assert hook[key] == own[key]
    assert hook["files"] == r"\.lab\.yaml$|\.csv$|platform\.yaml$"


def test_a_check_of_specs_loads_neither_the_client_of_lxd_nor_the_tables(university):
    university.lab()
    program = (
        "import sys; from practicum.cli.main import run; code = run(sys.argv[1:]); "
        "print(code, sorted({'pylxd', 'requests', 'rich'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, "-C", str(university.root), "validate"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout == "0 []\n"
