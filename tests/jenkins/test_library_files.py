"""The files of the library, read and not run: rules for CPS code, help, thin Jenkinsfiles, no data in shell strings."""

import re
import subprocess

import pytest
from job_runs import JARS, LIBRARY, ROOT, need_parts

STEPS = sorted((LIBRARY / "vars").glob("*.groovy"))
SOURCES = sorted((LIBRARY / "src").rglob("*.groovy"))
JENKINSFILES = sorted(
    [ROOT / "Jenkinsfile", *LIBRARY.glob("*.Jenkinsfile"), ROOT / "practicum/git/templates/Jenkinsfile"]
)
TESTS = "".join(path.read_text() for path in sorted((ROOT / "tests/jenkins").glob("test_*.py")))
WRONG = """package org.practicum
class Wrong implements Serializable {
    static List sorted(List given) { return given.sort { a, b -> a <=> b } }
}
class Lost { }
"""


def codenarc(folder):
    """Return what CodeNarc says of the Groovy files of a folder."""
    need_parts()
    jars = [*sorted((JARS / "codenarc").glob("*.jar")), *(JARS / "cps").glob("groovy-cps-*.jar"), folder / "src"]
    rules = ROOT / "tests/jenkins/codenarc.groovy"
    command = ["java", "-cp", ":".join(map(str, jars)), "org.codenarc.CodeNarc", f"-basedir={folder}"]
    options = ["-includes=**/*.groovy", f"-rulesetfiles=file:{rules}", "-report=console"]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout


def test_codenarc_finds_nothing():
    said = codenarc(LIBRARY)
    count = len(list(LIBRARY.rglob("*.groovy")))
    assert f"TotalFiles={count} FilesWithViolations=0" in said, said


def test_codenarc_finds_what_goes_wrong_in_cps_code(tmp_path):
    (tmp_path / "src/org/practicum").mkdir(parents=True)
    (tmp_path / "src/org/practicum/Wrong.groovy").write_text(WRONG)
    said = codenarc(tmp_path)
    assert [rule for rule in ("ForbiddenCallInCpsMethod", "ClassNotSerializable") if rule not in said] == []


@pytest.mark.parametrize("step", STEPS, ids=lambda path: path.stem)
def test_every_step_has_help_that_names_all_it_takes_and_a_test(step):
    help_text = step.with_suffix(".txt").read_text()
    found = re.search(r"Options\.of\(this, '\w+', (?:\[(.*?)\], given|defaults)", step.read_text(), re.DOTALL)
    listed = found and (found[1] or re.search(r"Map defaults = \[(.*?)\]\n", step.read_text(), re.DOTALL)[1])
    options = re.findall(r"(?:^|[\[,]\s*)(\w+):", listed or "")
    assert [name for name in options if not re.search(rf"^{name}\s", help_text, re.MULTILINE)] == []
    assert f"{step.stem}(" in help_text
    assert f"{step.stem}(" in TESTS or any(f"{step.stem}(" in other.read_text() for other in STEPS if other != step)


def test_no_help_is_left_of_a_step_that_is_gone():
    assert {path.stem for path in (LIBRARY / "vars").glob("*.txt")} == {path.stem for path in STEPS}


@pytest.mark.parametrize("path", [*STEPS, *SOURCES], ids=lambda path: path.name)
def test_only_one_step_runs_a_shell_and_no_text_of_it_holds_data(path):
    text = path.read_text()
    calls = re.findall(r"(?<![./\w])(?:sh|bat|powershell|pwsh)\s*[(\"']", text)
    assert calls == (["sh("] if path.name == "practicum.groovy" else [])
    assert "libraryResource('org/practicum/run.sh')" in text or not calls


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_classes_can_be_saved_and_hold_nothing(path):
    text = path.read_text()
    assert re.search(r"^class \w+ implements Serializable", text, re.MULTILINE)
    fields = re.findall(r"^    (?!static|private static|@|/|\*|\}| ).*$", text, re.MULTILINE)
    assert [line for line in fields if "(" not in line] == []


@pytest.mark.parametrize("path", JENKINSFILES, ids=lambda path: path.name)
def test_jenkinsfiles_only_call_the_library(path):
    comment, library, call = path.read_text().splitlines()
    assert comment.startswith("// ")
    assert library == "@Library('practicum') _"
    assert re.fullmatch(r"(\w+)\((nightly: true)?\)", call)
    assert (LIBRARY / f"vars/{call.split('(')[0]}.groovy").exists()


def test_there_is_nothing_that_jenkins_would_not_load():
    """A link in a library makes Jenkins refuse all of it, since 2026."""
    assert [path for path in LIBRARY.rglob("*") if path.is_symlink()] == []
