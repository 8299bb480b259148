"""Releases are what tags say, and only tags that say what a release must."""

import json

import pytest

from practicum.stages.releases import is_proved, releases

LAB = "net101/firewalls"
RELEASE = {
    "checkpoint": 2,
    "spec_commit": "5d41402abc4b2a76b9719d911017c592ae8f1c3b",
    "tree": "sha256:" + "9f" * 32,
    "images": {"web": "2c" * 32},
    "volumes": {"home": "c2-home"},
    "volume_project": "pabcdefg-checkpoints-net101-hello",
}


def tag(workspace, number, content):
    workspace.repository.tag(f"release/{LAB}/{number}", content if isinstance(content, str) else json.dumps(content))


def test_a_release_is_read_by_its_number(workspace):
    tag(workspace, 1, RELEASE)
    tag(workspace, 12, {**RELEASE, "checkpoint": 3})
    assert {number: content["checkpoint"] for number, content in releases(workspace, LAB).items()} == {1: 2, 12: 3}
    assert is_proved(workspace, LAB, RELEASE)


@pytest.mark.parametrize(
    "content",
    [
        "Version 2",
        "[]",
        "[" * 100_000,
        {key: value for key, value in RELEASE.items() if key != "checkpoint"},
        {**RELEASE, "checkpoint": "2"},
        {**RELEASE, "images": {"web": "latest"}},
        {**RELEASE, "spec_commit": "main"},
        {**RELEASE, "power": "on"},
    ],
    ids=lambda content: str(content)[:30],
)
def test_a_tag_that_says_something_else_is_no_release(workspace, content):
    tag(workspace, 1, RELEASE)
    tag(workspace, 2, content)
    assert list(releases(workspace, LAB)) == [1]
    assert not is_proved(workspace, LAB, {**RELEASE, "checkpoint": 9})


@pytest.mark.parametrize("name", ["0", "01", "²", "1a", "1/2"])
def test_a_name_that_is_no_number_is_no_release(workspace, name):
    tag(workspace, name, RELEASE)
    assert releases(workspace, LAB) == {}
