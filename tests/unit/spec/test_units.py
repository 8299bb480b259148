"""Sizes and durations."""

import pytest

from generator.spec.units import GIB, KIB, MIB, TIB, format_size, parse_duration, parse_size


@pytest.mark.parametrize(("text", "size"), [("1KiB", KIB), ("512MiB", 512 * MIB), ("2GiB", 2 * GIB), ("1TiB", TIB)])
def test_a_size_goes_both_ways(text, size):
    assert parse_size(text) == size
    assert format_size(size) == text


@pytest.mark.parametrize("text", ["", "2GB", "2G", "0MiB", "-1MiB", "1.5GiB", "1 GiB", "1gib", "1GiB\n", "GiB", "٣GiB"])
def test_other_forms_are_no_size(text):
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize(("size", "text"), [(0, "0B"), (1, "1B"), (1536 * MIB, "1536MiB"), (MIB + 1, "1048577B")])
def test_a_size_never_loses_bytes(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30.0), ("2m", 120.0), ("0s", 0.0)])
def test_durations_are_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["30", "1h", "1.5s", "-1s", "30 s", "2m\n"])
def test_other_forms_are_no_duration(text):
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)
