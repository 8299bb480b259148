"""How commands end: every code that the documentation promises, and never with a traceback."""

import json
import shutil
import subprocess

import click
import pytest
from university import GOOD

from practicum.cli.main import cli
from practicum.errors import PermissionsError, TryAgainError

NO_LXD = "no answer from LXD"
WEB = "{type: webserver}"
NOT_BUILT = {
    "kubernetes.cluster": GOOD + "kubernetes: {cluster: seat}\n",
    "environments/dev/platform.yaml: kubernetes.k3s": GOOD + "kubernetes: {cluster: lab}\n",
}


def verbs(group=cli, path=()):
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from verbs(command, (*path, name))


@pytest.mark.parametrize("key", NOT_BUILT)
def test_what_is_not_built_passes_validate_and_generate_and_is_refused_before_any_effect(university, key):
    university.lab(NOT_BUILT[key])
    assert university("validate").code == 0
    assert university("generate").code == 0
    university.commit()
    files, head = university.files(), university.head
    for verb in ("plan", "provision"):
        said = university(verb, "net101/firewalls")
        assert said.code == 69
        assert f"{key}: " in said.err
        assert "nothing was done" in said.err
        # LXD is not even asked: there is none, and nobody says so.
        assert NO_LXD not in said.err
    assert (university.files(), university.head) == (files, head)


@pytest.mark.parametrize(
    "verb", ["plan", "provision", "smoke", "status", "start", "shell prof web -- true", "destroy --env dev", "orphans"]
)
def test_without_lxd_every_verb_that_needs_it_ends_with_69_and_says_what_to_do(university, verb):
    university.deployed()
    name, *rest = verb.split()
    if name == "orphans":
        subprocess.run(["git", "-C", str(university.root), "push", "--quiet", "origin", "main"], check=True)
    lab = [] if name == "orphans" else ["net101/firewalls"]
    said = university("--yes", name, *lab, *rest)
    assert said.code == 69
    assert NO_LXD in said.err
    assert "practicum doctor" in said.err


def test_what_is_not_committed_is_not_deployed(university):
    university.lab()
    university("generate")
    said = university("plan", "net101/firewalls")
    assert said.code == 69
    assert "no committed definitions" in said.err
    assert "git commit" in said.err


def test_prod_before_a_promotion_is_unavailable(university):
    university.deployed()
    for verb in (["plan", "--env", "prod"], ["deliver"], ["promote"]):
        said = university(verb[0], "net101/firewalls", *verb[1:])
        assert said.code == 69
        assert "practicum checkpoint net101/firewalls" in said.err


def test_a_lost_secret_key_is_a_permission_that_is_missing(university):
    spec = GOOD.replace(WEB, "{type: webserver, files: [{from: a.j2, to: /srv/a}]}")
    university.write("labs/net101/a.j2", "{{ secret('db') }}\n")
    university.deployed(spec)
    (university.root / ".practicum/secret.key").unlink()
    said = university("plan", "net101/firewalls")
    assert said.code == 77
    assert "secret.key" in said.err
    assert "fix:" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["validate", "--format", "xml"],
        ["plan"],
        ["plan", "firewalls"],
        ["plan", "a/b/c"],
        ["plan", "net101/nothing"],
        ["plan", "net101/firewalls", "--seat", "s099"],
        ["plan", "net101/firewalls", "--env", "test"],
        ["shell", "net101/firewalls", "s099", "web", "--env", "dev", "--", "true"],
        ["shell", "net101/firewalls", "prof", "nothing", "--", "true"],
        ["destroy", "net101/firewalls"],
        ["create", "nothing"],
        ["create", "webserver", "--memory", "much"],
        ["--nonsense"],
    ],
)
def test_what_cannot_be_acted_on_is_a_usage_error(university, arguments):
    university.deployed()
    said = university(*arguments)
    assert said.code == 2
    assert said.err.strip()


@pytest.mark.parametrize("arguments", [["validate"], ["generate"], ["plan", "a/b"], ["status"]])
def test_outside_of_a_repository_the_way_in_is_named(practicum, tmp_path, arguments):
    (tmp_path / "empty").mkdir()
    said = practicum("-C", tmp_path / "empty", *arguments)
    assert said.code == 2
    assert "practicum init" in said.err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (TryAgainError("locked", details="by ada", resolution="wait"), 75, ["locked", "by ada", "fix: wait"]),
        (PermissionsError("not allowed"), 77, ["not allowed"]),
        (KeyboardInterrupt(), 130, ["interrupted", "goes on from here"]),
        (click.Abort(), 130, ["interrupted"]),
        (BrokenPipeError(), 0, []),
        (ValueError("[oops]"), 70, ["a bug in Practicum", "ValueError: [oops]", "report it"]),
    ],
)
def test_every_failure_has_its_code(practicum, monkeypatch, error, code, words):
    def fail():
        raise error

    monkeypatch.setitem(cli.commands, "fail", click.Command("fail", callback=fail))
    said = practicum("fail")
    assert said.code == code
    assert all(word in said.err for word in words)
    assert said.out == ""


def test_a_bug_leaves_its_traceback_in_a_file(practicum, monkeypatch, tmp_path):
    def fail():
        raise ValueError("oops")

    monkeypatch.setitem(cli.commands, "fail", click.Command("fail", callback=fail))
    practicum("fail")
    (file,) = (tmp_path / "home").glob("practicum-bug-*.txt")
    assert "Traceback" in file.read_text()
    assert "oops" in file.read_text()


@pytest.mark.parametrize("path", sorted(path for path, _command in verbs()), ids=" ".join)
def test_every_verb_has_a_help_text(practicum, path):
    command = dict(verbs())[path]
    assert command.help, f"{path} has no help"
    said = practicum(*path, "--help")
    assert said.code == 0
    assert command.help.split("\n")[0].split(":")[0] in said.out
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help or parameter.type.name in ("choice", "integer range"), (
                f"{path}: {parameter.opts} says nothing"
            )


def test_the_top_names_every_verb(practicum):
    said = practicum("--help")
    assert said.code == 0
    assert all(f"  {path[0]} " in said.out for path, command in verbs() if len(path) == 1 and not command.hidden)


def test_the_version_is_told(practicum):
    said = practicum("--version")
    assert said.code == 0
    assert any(character.isdigit() for character in said.out)


def test_init_makes_a_repository_once_and_for_all(practicum, tmp_path):
    assert practicum("init", tmp_path / "new").code == 0
    key = (tmp_path / "new/.practicum/secret.key").read_bytes()
    assert practicum("init", tmp_path / "new").code == 0
    assert (tmp_path / "new/.practicum/secret.key").read_bytes() == key
    assert (tmp_path / "new/.practicum/secret.key").stat().st_mode & 0o077 == 0


def test_init_leaves_a_folder_with_other_things_alone(practicum, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years\n")
    said = practicum("init", tmp_path / "mine")
    assert said.code == 2
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_two_installations_have_different_ids(practicum, tmp_path):
    texts = []
    for name in ("one", "two"):
        practicum("init", tmp_path / name)
        texts.append((tmp_path / name / "environments/dev/platform.yaml").read_text())
        assert practicum("-C", tmp_path / name, "validate").code == 0
    assert texts[0] != texts[1]


def test_types_are_shown_without_a_repository(practicum):
    said = practicum("types")
    assert said.code == 0
    assert "webserver" in said.out
    assert "kubernetes-node" not in said.out


def test_events_are_json_lines_when_asked(university):
    university.deployed()
    university.write("labs/net101/new.txt", "not committed\n")
    said = university("--json", "provision", "net101/firewalls")
    assert said.code == 69
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [event["state"] for event in events][:1] == ["warning"]
    assert "labs/net101/new.txt" in events[0]["detail"]


def test_a_repository_whose_git_is_gone_is_no_repository(university):
    university.deployed()
    shutil.rmtree(university.root / ".git")
    assert university("plan", "net101/firewalls").code == 2
