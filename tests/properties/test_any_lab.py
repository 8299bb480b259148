"""Whatever valid lab a professor writes: it loads, renders, reads back, and is the same every time."""

import json

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab_strategies import CATALOGUE, LAB, SECRET, errors, repositories, rosters

from generator.generate import generate, render
from generator.render.definitions import Target, seat_document, shared_document
from generator.render.references import reference
from generator.render.tree import lab_folder, tree_digest

CALM = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def target(edition, environment):
    (state,) = edition.labs
    return Target(state.lab, edition.platforms[environment], state.addresses[environment], CATALOGUE, edition.sources)


@CALM
@given(repositories())
def test_a_valid_lab_has_no_errors_and_reads_back_as_it_was_rendered(repository):
    edition = repository.edition()
    assert errors(edition) == []
    for environment in ("dev", "prod"):
        tree = render(edition, edition.labs[0], environment)
        folder = lab_folder(environment, LAB) + "/lxd"
        wanted = target(edition, environment)
        assert yaml.safe_load(tree[f"{folder}/shared.yaml"]) == shared_document(wanted)
        assert yaml.load(tree[f"{folder}/prof.yaml"], Loader=yaml.CSafeLoader) == seat_document(wanted, "prof")
        seats = {"prof", "pilot"} if environment == "dev" else {"prof", *edition.labs[0].seats}
        paths = {f"{folder}/{name}.yaml" for name in {"shared", *seats}}
        assert {path for path in tree if "/files/" not in path} == paths


@CALM
@given(repositories())
def test_generating_again_changes_no_byte(repository):
    edition = repository.edition()
    assert render(edition, edition.labs[0], "prod") == render(
        repository.edition(), repository.edition().labs[0], "prod"
    )
    assert generate(edition) == generate(repository.edition())
    assert generate(repository.generated().edition()) == {}


@CALM
@given(repositories())
def test_every_static_file_that_a_step_names_stands_beside_the_definitions(repository):
    edition = repository.edition()
    tree = render(edition, edition.labs[0], "dev")
    folder = lab_folder("dev", LAB) + "/lxd"
    steps = [
        step
        for seat in ("prof", "pilot")
        for entry in yaml.safe_load(tree[f"{folder}/{seat}.yaml"])["instances"]
        for step in entry["steps"]
    ]
    named = {step["sha256"] for step in steps if "sha256" in step and "data" not in step}
    assert all(f"{folder}/files/{digest}" in tree for digest in named)


def plain(data):
    """Return the text of a generated file without YAML's line breaks and escapes."""
    try:
        return json.dumps(yaml.load(data, Loader=yaml.CSafeLoader), ensure_ascii=False) + data.decode()
    except yaml.YAMLError:
        return data.decode()


@CALM
@given(repositories(rosters()))
def test_people_stand_nowhere_but_in_the_seat_book(repository):
    generated = repository.generated()
    written = {path: data for path, data in generated.content.items() if path not in repository.content}
    written |= repository.prod()
    book = written.pop(f"labs/{LAB}.seats.yaml").decode()
    assert all(login in book for login in repository.logins)
    assert "@example.org" not in book
    assert "Name of" not in book
    for path, data in written.items():
        text = plain(data)
        assert not any(login in text for login in repository.logins), path
        assert "Name of" not in text
        assert "profada" not in text


@CALM
@given(repositories(rosters()))
def test_secrets_and_logins_are_references(repository):
    text = "".join(plain(data) for path, data in repository.prod().items() if "/files/" not in path)
    used = [
        entry["from"] if isinstance(entry, dict) else entry
        for machine in repository.document["machines"].values()
        for entry in (*machine.get("files", ()), *machine.get("setup", ()))
    ]
    if any(name.endswith(".j2") for name in used):
        assert reference("login") in text
        assert reference("secret", SECRET) in text


@CALM
@given(repositories(), st.sampled_from(["release.json", "operation.yaml"]))
def test_what_commands_write_is_not_in_the_digest_and_not_removed(repository, name):
    generated = repository.generated()
    path = f"{lab_folder('dev', LAB)}/{name}"
    generated.content[path] = b"{}\n"
    assert generate(generated.edition()) == {}
    tree = {path: data for path, data in generated.content.items() if path.startswith(lab_folder("dev", LAB))}
    without = {other: data for other, data in tree.items() if other != path}
    assert tree_digest(tree) == tree_digest(without)
    assert all(tree_digest({**without, other: b"x"}) != tree_digest(without) for other in without)
