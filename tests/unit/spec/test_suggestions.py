"""What is suggested for values in the forms of other tools, and that every suggestion is itself right."""

import re

import pytest

from generator.schema_files import read_schema
from generator.spec.suggestions import meant
from generator.spec.units import parse_duration, parse_size


@pytest.mark.parametrize(
    ("kind", "text", "near"),
    [
        ("size", "512MB", "512MiB"),
        ("size", "512 MiB", "512MiB"),
        ("size", "0.5GiB", "512MiB"),
        ("size", "1,5 gb", "1536MiB"),
        ("size", "512", "512MiB"),
        ("size", "2", "2GiB"),
        ("size", "“512MiB”", "512MiB"),
        ("size", "0MiB", None),
        ("size", "much", None),
        ("duration", "30", "30s"),
        ("duration", "1h", "60m"),
        ("duration", "1m30s", "90s"),
        ("duration", "1.5m", "90s"),
        ("duration", "30ms", None),
        ("duration", "soon", None),
        ("mode", "0644", '"0644"'),
        ("mode", "0o755", '"0755"'),
        ("mode", "rwxr-xr-x", '"0755"'),
        ("mode", "0999", None),
        ("boolean", "yes", "true"),
        ("boolean", "Off", "false"),
        ("boolean", "perhaps", None),
        ("integer", "2 cores", "2"),
        ("integer", "2.0", "2"),
        ("integer", "0.5", None),
        ("number", "500m", "0.5"),
        ("number", "0,5", "0.5"),
        ("number", "half", None),
        ("time", "2026-12-01 23:59:00+01:00", "2026-12-01T23:59:00+01:00"),
        ("time", "2026-12-01", None),
        ("time", "tomorrow", None),
        ("roster", "students.cvs", "students.csv"),
        ("roster", "30 students", "30"),
        ("host", "https://deb.debian.org/debian", "deb.debian.org"),
        ("package", "Nginx", "nginx"),
        ("place", "~/work", "/home/student/work"),
        ("place", "var/www", "/var/www"),
        ("place", "C:\\data", None),
        ("url-path", "http://web/a", "/a"),
        ("sha256", "AB" * 32, "ab" * 32),
        ("cluster", "Labs", "lab"),
        ("nothing", "x", None),
    ],
)
def test_the_value_that_was_meant(kind, text, near):
    assert meant(kind, text) == near


@pytest.mark.parametrize("number", ["1", "3", "64", "100", "0.25", "1.5", "2,5", "7.3"])
@pytest.mark.parametrize("unit", ["", "K", "kb", "M", "MB", "Mi", "g", "GB", "T", " TiB"])
def test_a_suggested_size_is_a_size(number, unit):
    near = meant("size", number + unit)
    assert near is None or parse_size(near) > 0
    pattern = read_schema("lab")["$defs"]["size"]["pattern"]
    assert near is None or re.fullmatch(pattern, near)


@pytest.mark.parametrize("text", ["1", "90 s", "5min", "2h", "1d", "1h 30m"])
def test_a_suggested_duration_is_one(text):
    near = meant("duration", text)
    assert near is not None
    assert parse_duration(near) > 0


@pytest.mark.parametrize("kind", ["size", "duration", "integer", "number", "roster", "mode", "time", "cluster"])
@pytest.mark.parametrize("text", ["1" * 5000, "1" * 400 + ".5", "1" * 5000 + "GB", "9" * 300, "9" * 299 + "d"])
def test_no_number_is_too_long(kind, text):
    found = meant(kind, text)
    assert found is None or len(found) <= len(text)
