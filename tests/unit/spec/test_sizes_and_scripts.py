"""Bounds of sizes and of the platform, and scripts that would not run."""

import pytest

from generator.spec.platform import Capacity, Platform, default_platform
from generator.spec.units import GIB, MIB

SPEC = "version: 1\ntitle: T\nstudents: 10\nmachines:\n  web: {type: webserver}\n"


def prod(**settings):
    return {"prod": Platform("prod", default_platform("prod").addresses, **settings)}


@pytest.mark.parametrize(
    ("capacity", "code"),
    [
        (Capacity(), None),
        (Capacity(cpu=3), None),
        (Capacity(cpu=2), "PRA049"),
        (Capacity(memory=5 * GIB, overcommit=1), None),
        (Capacity(memory=5 * GIB - MIB, overcommit=1), "PRA049"),
        (Capacity(pool=65 * GIB), None),
        (Capacity(pool=64 * GIB), "PRA049"),
        (Capacity(memory=256 * MIB), "PRA049"),
    ],
)
def test_a_class_fits_exactly_or_is_told_once(told, capacity, code):
    found = told(SPEC, platforms=prod(capacity=capacity))
    assert [one for one, _line in found] == ([code] if code else [])


def test_virtual_machines_need_a_platform_with_them(told):
    spec = SPEC.replace("webserver}", "webserver, kind: vm}")
    assert told(spec) == []
    assert told(spec, platforms=prod(vms="none")) == [("PRA078", 5)]


@pytest.mark.parametrize(
    ("script", "severity"),
    [
        ("#!/bin/sh\ntrue\n", None),
        ("#!/usr/bin/env python3\nprint()\r\n", None),
        ("#!/bin/sh\r\ntrue\r\n", "error"),
        ("#!/bin/sh\ntrue\r\n", "error"),
        ("true\r\n", "error"),
        ("\ufeff#!/bin/sh\n", "error"),
        ("true\n", "warning"),
        ("\n", "warning"),
    ],
)
@pytest.mark.parametrize("key", ["run", "setup"])
def test_scripts_that_do_not_run_are_refused(load, key, script, severity):
    loaded = load(SPEC.replace("webserver}", f"webserver, {key}: [a.sh]}}"), {"a.sh": script})
    assert [problem.severity for problem in loaded.diagnostics] == ([severity] if severity else [])
    assert (loaded.lab is None) == (severity == "error")


@pytest.mark.parametrize(
    ("first", "second", "fine"),
    [("/a", "/b", True), ("/a", "/ab", True), ("/a", "/a", False), ("/a", "//a", False), ("/a/b", "/a", False)],
)
def test_two_files_need_two_places(told, first, second, fine):
    entries = f"[{{from: a, to: {first}}}, {{from: a, to: {second}}}]"
    found = told(SPEC.replace("webserver}", f"webserver, files: {entries}}}"), {"a": "a"})
    assert found == ([] if fine else [("PRA058", 5)])
