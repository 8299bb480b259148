"""Commands in the documentation exist: bash reads them, click reads those of Practicum, make knows its targets."""

import re
import shlex
import subprocess

import click
import pytest
from pages import PAGES, ROOT, prose, tagged

from practicum.cli.main import cli

_SEPARATORS = ("|", "||", "&&", ";", ">", ">>", "2>&1")
_INLINE = re.compile(r"`practicum ([^`]+)`")


def walk(command, path=()):
    """Yield every command with its words."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from walk(child, (*path, name))


@pytest.fixture(autouse=True)
def no_effects(monkeypatch):
    """Let every command do nothing, so that parsing is all that happens."""
    for path, command in walk(cli):
        if not isinstance(command, click.Group):
            monkeypatch.setattr(command, "callback", lambda path=path, **values: (path, values))


def parsed(words):
    """Return the command's words and the values of its parameters, as click reads them."""
    return cli.main(args=words, standalone_mode=False)


def commands_of(block):
    """Return the arguments of each `practicum` of a shell block."""
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        starts = [
            at for at, word in enumerate(words) if word == "practicum" and (not at or words[at - 1] in _SEPARATORS)
        ]
        for start in starts:
            rest = words[start + 1 :]
            end = next((at for at, word in enumerate(rest) if word in _SEPARATORS), len(rest))
            found.append(rest[:end])
    return found


SHELL = tagged("sh")
COMMANDS = [(f"{block} {shlex.join(words)}", words) for block in SHELL for words in commands_of(block)]


@pytest.mark.parametrize("words", [words for _, words in COMMANDS], ids=[name for name, _ in COMMANDS])
def test_click_reads_every_command_line(words):
    path, _values = parsed(words)
    assert path


def test_a_wrong_command_line_is_found():
    with pytest.raises(click.UsageError):
        parsed(["provision", "net101/firewalls", "--sead", "s001"])
    with pytest.raises(click.UsageError):
        parsed(["provision"])


def test_an_option_behind_the_machine_is_read():
    path, values = parsed(["shell", "net101/hello", "s001", "web", "--env", "prod", "--", "cat", "/etc/hostname"])
    assert (path, values["environment"], values["command"]) == (("shell",), "prod", ("cat", "/etc/hostname"))


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_bash_reads_every_shell_block(block):
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_verb_in_a_sentence_exists_or_is_said_to_be_missing(page):
    text = page.read_text(encoding="utf-8")
    verbs = {words.split()[0] for words in _INLINE.findall(text)} - {"VERB"}
    assert {verb for verb in verbs if verb[0].islower()} - set(cli.commands) - missing_verbs() == set()


def missing_verbs():
    """Return the verbs that the reference lists as not built."""
    text = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8").split("## Not built yet")[1]
    return set(re.findall(r"`([a-z]+)`", text.split("\nOptions:")[0]))


def test_no_verb_is_said_to_be_missing_that_exists():
    assert missing_verbs()
    assert missing_verbs() & set(cli.commands) == set()


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = {name for block in SHELL for name in re.findall(r"^make ([a-z-]+)", block.text, re.MULTILINE)}
    used |= {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8"))}
    assert used
    assert used <= targets


TEACHING = ["docs/tutorial/first-lab.md", *(f"docs/how-to/{name}.md" for name in ("write-checks", "per-student-files"))]


@pytest.mark.parametrize("page", TEACHING)
def test_pages_for_people_who_teach_use_their_words(page):
    words = set(re.findall(r"[a-z]+", prose(ROOT / page).lower()))
    assert words & {"seat", "seats", "overlay", "shard", "pilot", "reconcile", "promotion", "delivery"} == set()
