"""Reference pages agree with what they describe, and links between pages lead somewhere."""

import json
import re

import click
import pytest
from pages import PAGES, ROOT, anchors_of, links_of

from generator.catalogue.load import load_catalogue
from generator.render.definitions import Target, seat_document, shared_document
from generator.render.needs import needs
from generator.seats.addresses import allocate
from generator.spec.load import load_lab, load_platform, load_platforms
from generator.spec.platform import default_platform
from generator.spec.reference import NOT_BUILT, render_spec_reference
from generator.spec.reference import PAGES as PAGES_OF_SCHEMAS
from generator.spec.sources import MappingSources
from generator.spec.words import proper_place
from practicum.cli.main import cli
from practicum.stages.deployment import Operation

REFERENCE = ROOT / "docs" / "reference"
SPEC = "labs/net101/hello.lab.yaml"
SMALL = {"version": 1, "title": "T", "students": 1, "machines": {"web": {"type": "webserver"}}}


@pytest.mark.parametrize(("schema", "page"), PAGES_OF_SCHEMAS.items())
def test_the_page_is_made_from_the_schema(schema, page):
    assert (REFERENCE / f"{page}.md").read_text(encoding="utf-8") == render_spec_reference(schema)


@pytest.mark.parametrize("schema", ["lab", "platform"])
def test_every_note_about_what_is_not_built_is_shown(schema):
    shown = render_spec_reference(schema).count("**Not built yet:**")
    assert shown == len(NOT_BUILT[schema])
    assert all(proper_place(schema, re.split(r"[.\]]", place)[-1]) for place in NOT_BUILT[schema])


def lab_with(change, files=None):
    content = {SPEC: json.dumps({**SMALL, **change}).encode()}
    sources = MappingSources(content | {f"labs/net101/{name}": b"" for name in files or ()})
    found = load_lab(sources, SPEC, load_catalogue(), load_platforms(sources).platforms)
    assert [problem for problem in found.diagnostics if problem.severity == "error"] == []
    return found.lab


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("kubernetes.cluster", {"kubernetes": {"cluster": "lab"}}),
    ],
)
def test_what_the_page_says_is_refused_is_refused(place, change):
    assert "refuse it before any effect" in NOT_BUILT["lab"][place]
    lab = lab_with(change, ["solve.sh"])
    assert needs(lab, default_platform("dev"))
    assert needs(lab_with({}), default_platform("dev")) == []


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("vms", "vms", "kubevirt"),
    ],
)
def test_what_the_page_says_of_a_platform_is_refused(place, key, value):
    assert "refuse it before any effect" in NOT_BUILT["platform"][place]
    found = load_platform(json.dumps({key: value}).encode(), "environments/dev/platform.yaml", "dev")
    lab = lab_with({"machines": {"web": {"type": "webserver", "kind": "vm"}}})
    assert needs(lab, default_platform("dev")) == []
    assert needs(lab, found.platform)


def walk(command, words=("practicum",)):
    yield words, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            # `practicum checkpoint LAB` stands for its hidden sub-command.
            yield from walk(child, words if child.hidden else (*words, name))


def sections():
    parts = re.split(r"^##+ (.+)$", (REFERENCE / "command-line.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {heading.strip("`"): text for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def options_of(words):
    """Return the options that click knows of a command; those of all commands with the same words."""
    parameters = [parameter for found, command in walk(cli) if found == words for parameter in command.params]
    return {name for one in parameters if isinstance(one, click.Option) for name in (*one.opts, *one.secondary_opts)}


def options_in(text):
    cells = re.findall(r"^\| (`-.*?) \|(?! )?", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(--?[A-Za-z][a-z-]*)", cell)}


VERBS = sorted({words for words, _command in walk(cli)})


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_verb_has_its_section_with_exactly_its_options(words):
    text = sections()[" ".join(words)]
    every = {"-h", "--help"} if len(words) == 1 else set()
    assert options_in(text) == options_of(words) | every
    assert len(words) == 1 or words == ("practicum", "image") or "Exit code" in text


def test_no_section_describes_a_verb_that_is_gone():
    described = {heading for heading in sections() if heading.startswith("practicum")}
    assert described == {" ".join(words) for words in VERBS}


def test_choices_of_options_are_those_of_click():
    for words, command in walk(cli):
        for option in command.params:
            if isinstance(option.type, click.Choice):
                assert "\\|".join(option.type.choices) in sections()[" ".join(words)], words


def table_keys(page, heading):
    """Return the keys of the table that stands right below a heading."""
    text = (REFERENCE / page).read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    first = text.strip().split("\n\n")[0]
    return {key for row in first.splitlines()[2:] for key in re.findall(r"`([a-z_]+)`", row.split("|")[1])}


def test_generated_files_have_the_keys_that_their_page_names():
    router = {"type": "debian", "connect": ["lan", "dmz"], "forward": True}
    machines = {"router": router, "web": {"type": "webserver", "connect": ["dmz"]}}
    times = {"due": "2026-12-01T23:59:00+01:00"}
    more = {"machines": machines, "schedule": times, "solution": {"web": "solve.sh"}}
    lab = lab_with({"networks": {"lan": {}, "dmz": {}}, **more}, ["solve.sh"])
    sources = MappingSources({"labs/net101/solve.sh": b""})
    platform = load_platforms(sources).platforms["dev"]
    addresses = allocate({}, platform.addresses, lab.key, 0, list(machines), 2)[lab.key]
    target = Target(lab, platform, addresses, load_catalogue(), sources)
    assert table_keys("generated-files.md", "shared.yaml") == set(shared_document(target))
    assert table_keys("generated-files.md", "SEAT.yaml") == set(seat_document(target, "pilot"))


def test_the_operation_file_is_shown_with_its_defaults():
    text = (REFERENCE / "generated-files.md").read_text(encoding="utf-8")
    default = Operation()
    assert f"life: {default.life}\npower: {default.power}\ninternet: {default.internet}\n" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page):
    for target in links_of(page):
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        assert place.exists(), target
        assert not anchor or anchor in anchors_of(place), target


def test_every_page_is_reached_from_the_list():
    listed = {(ROOT / "docs" / target.split("#")[0]).resolve() for target in links_of(ROOT / "docs" / "README.md")}
    assert {page for page in PAGES if page.parent != ROOT and page.name != "README.md"} <= listed
