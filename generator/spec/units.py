"""Sizes and durations as specs write them, to bytes and seconds and back."""

import re

__all__ = ["GIB", "KIB", "MIB", "TIB", "format_size", "parse_duration", "parse_size", "shown"]

KIB, MIB, GIB, TIB = (1024**power for power in (1, 2, 3, 4))
_SIZES = {"KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": TIB}
_SECONDS = {"s": 1, "m": 60}
_SIZE = re.compile(r"([1-9][0-9]*)(KiB|MiB|GiB|TiB)")
_DURATION = re.compile(r"([0-9]+)(s|m)")


def parse_size(text: str) -> int:
    """Return the bytes of a size such as `512MiB`; ValueError for any other form."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a size: {text!r}")
    return int(match[1]) * _SIZES[match[2]]


def format_size(size: int) -> str:
    """Return bytes in the largest unit that needs no fraction: `512MiB`; plain bytes as `100B`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _SIZES[unit] == 0:
            return f"{size // _SIZES[unit]}{unit}"
    return f"{size}B"


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as `30s` or `2m`; ValueError for any other form."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a duration: {text!r}")
    return float(int(match[1]) * _SECONDS[match[2]])


def shown(size: int) -> str:
    """Return a size for people: whole KiB or MiB, GiB with one digit behind the point."""
    if size >= GIB:
        return f"{size / GIB:.1f} GiB"
    return format_size(size // MIB * MIB) if size >= MIB else f"{size / KIB:.0f} KiB"
