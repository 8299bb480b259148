"""Labs written in any layout: machines and checks come, go and are renamed, with all that names them."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_strategies import MACHINE_NAMES, repositories
from test_splice_editor import RANDOM, parsed
from yaml_layouts import Layout

from generator.edit import lab as edits
from generator.edit.changes import EditRefused


@st.composite
def written(draw):
    """Draw a lab's data, and the spec that somebody wrote by hand for it."""
    document = draw(repositories()).document
    data = Layout(draw(RANDOM)).text(document)
    assert repr(parsed(data)) == repr(document)
    return document, data


def renamed(value, old, new):
    """Return the data with every machine of one name called by another, told by the shape of the data alone."""
    value = deepcopy(value)
    for check in value.get("checks", ()):
        for settings_of in check.values():
            if isinstance(settings_of, dict):
                settings_of.update({key: new for key in ("machine", "from") if settings_of.get(key) == old})
    for volume in value.get("volumes", {}).values():
        if "machines" in volume:
            volume["machines"] = [new if name == old else name for name in volume["machines"]]
    for group in ("machines", "solution"):
        if group in value:
            value[group] = {new if name == old else name: entry for name, entry in value[group].items()}
    return value


@settings(max_examples=40, deadline=None)
@given(written(), MACHINE_NAMES, st.data())
def test_a_renamed_machine_is_renamed_everywhere(case, new, drawn):
    document, data = case
    if new in document["machines"]:
        return
    old = drawn.draw(st.sampled_from(list(document["machines"])))
    after = edits.rename_machine(data, old, new)
    assert repr(parsed(after)) == repr(renamed(document, old, new))
    assert parsed(edits.rename_machine(after, new, old)) == document


@settings(max_examples=40, deadline=None)
@given(written(), MACHINE_NAMES)
def test_what_is_added_is_good_and_goes_without_trace(case, name):
    document, data = case
    if name in document["machines"]:
        return
    check = {"name": f"{name} is there: yes", "exec": {"machine": name, "run": "test -d /\ntrue\n"}, "points": 2}
    with_machine = edits.add_machine(data, name, {"type": "debian", "memory": "1GiB"})
    with_check = edits.add_check(with_machine, check)
    assert edits.set_value(with_check, ("machines", name, "memory"), "1GiB") == with_check
    assert parsed(with_check)["checks"][-1] == check
    with pytest.raises(EditRefused, match=rf"line {line_of(with_check, name)} \(checks\["):
        edits.remove_machine(with_check, name)
    without = edits.remove_machine(edits.remove_check(with_check, check["name"]), name)
    assert parsed(without) == {key: value for key, value in document.items() if key != "checks" or value}
    if document.get("checks"):
        assert without == data


def line_of(data, name):
    """Return the line of the last place at which a spec names a machine."""
    lines = data.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return max(number for number, line in enumerate(lines, 1) if "machine" in line and name in line)
