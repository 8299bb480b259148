"""What somebody probably meant who wrote a value in a wrong form: `512MB` means `512MiB`."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from math import isclose

__all__ = ["meant"]

_UNITS = ("KiB", "MiB", "GiB", "TiB")
_TOO_MANY = 10**9
# Nobody means a longer text, and a number with more digits is none that Python reads.
_LONGEST = 300
_SIZE = re.compile(r"([0-9]+(?:[.,][0-9]+)?|[.,][0-9]+) *([kmgt]?)i?(?:b|bytes?)?", re.IGNORECASE)
_DURATION = re.compile(r"([0-9]+(?:[.,][0-9]+)?) *(d|h|m|s)?[a-z]* *", re.IGNORECASE)
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1, "": 1}
_COUNT = re.compile(r"([0-9]+)(?:\.0+)?(?: *(?:cores?|v?cpus?|students?|seats?|points?|/tcp))?", re.IGNORECASE)
_TRUE, _FALSE = ("true", "yes", "on", "1", "y"), ("false", "no", "off", "0", "n")
_HOST = re.compile(r"(?:[a-z]+://)?([a-z0-9]([a-z0-9.-]*[a-z0-9])?)(?::[0-9]+)?(?:/.*)?", re.IGNORECASE)


def meant(kind: str, text: str) -> str | None:
    """Return a good value of that kind (an `x-hint` of the schemas, or a JSON type) near to `text`, or None."""
    bare = text.strip().strip("“”„‘’‚\"'` ")
    found = _KINDS[kind](bare) if kind in _KINDS and len(bare) <= _LONGEST else None
    return found if found != text else None


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _size(text: str) -> str | None:
    match = _SIZE.fullmatch(text)
    if match is None or not _number(match[1]):
        return None
    number = _number(match[1])
    # Without any unit small numbers are rather GiB than MiB.
    place = "kmgt".index(match[2].lower()) if match[2] else (1 if number >= 64 else 2)
    while number % 1 and place:
        number, place = number * 1024, place - 1
    return f"{round(number)}{_UNITS[place]}" if 1 <= round(number) < _TOO_MANY else None


def _duration(text: str) -> str | None:
    parts = _DURATION.findall(text)
    if not parts or "".join(match[0] for match in _DURATION.finditer(text)) != text or re.search("ms|month", text):
        return None
    seconds = sum(_number(number) * _SECONDS[unit.lower()] for number, unit in parts)
    if seconds >= _TOO_MANY or not isclose(seconds, round(seconds)):
        return None
    whole = round(seconds)
    return f"{whole // 60}m" if whole and whole % 60 == 0 else f"{whole}s"


def _mode(text: str) -> str | None:
    if re.fullmatch(r"(?:[r-][w-][x-]){3}", text):
        bits = "".join("0" if letter == "-" else "1" for letter in text)
        return f'"0{int(bits, 2):03o}"'
    digits = text.removeprefix("0o").removeprefix("0")
    return f'"0{digits}"' if re.fullmatch("[0-7]{3}", digits) else None


def _truth(text: str) -> str | None:
    lower = text.lower()
    return "true" if lower in _TRUE else "false" if lower in _FALSE else None


def _count(text: str) -> str | None:
    match = _COUNT.fullmatch(text)
    return str(int(match[1])) if match else None


def _amount(text: str) -> str | None:
    match = re.fullmatch(r"([0-9]+(?:[.,][0-9]+)?)(m?)", text)
    return f"{_number(match[1]) / (1000 if match[2] else 1):g}" if match else None


def _time(text: str) -> str | None:
    try:
        time = datetime.fromisoformat(text.replace(" +", "+").replace("z", "Z").replace("t", "T"))
    except ValueError:
        return None
    return time.replace(microsecond=0).isoformat() if time.tzinfo else None


def _roster(text: str) -> str | None:
    name = re.sub(r"\.(cvs|csv\.csv|scv|txt|xlsx?|ods)$", ".csv", text, flags=re.IGNORECASE)
    return name if name != text else _count(text)


def _host(text: str) -> str | None:
    match = _HOST.fullmatch(text)
    return match[1] if match else None


def _package(text: str) -> str | None:
    return text.lower() if re.fullmatch(r"[a-z0-9][a-z0-9+.:~=-]*", text.lower()) else None


def _place(text: str) -> str | None:
    if text.startswith("~/"):
        return "/home/student" + text[1:]
    return f"/{text}" if re.match(r"(bin|etc|home|mnt|opt|root|srv|tmp|usr|var)(/|$)", text) else None


def _url_path(text: str) -> str | None:
    path = re.sub(r"^[a-z]+://[^/]*", "", text)
    return None if re.search(r"\s", path) else f"/{path.removeprefix('/')}"


def _sha256(text: str) -> str | None:
    return text.lower() if re.fullmatch("[0-9a-f]{64}", text.lower()) else None


def _cluster(text: str) -> str | None:
    lower = text.lower().replace(" ", "")
    known = re.fullmatch(r"lab|seat|existing:[a-z0-9]([a-z0-9-]*[a-z0-9])?", lower)
    return lower if known else lower.removesuffix("s") if lower in ("labs", "seats") else None


_KINDS: Mapping[str, Callable[[str], str | None]] = {
    "size": _size,
    "duration": _duration,
    "mode": _mode,
    "boolean": _truth,
    "integer": _count,
    "number": _amount,
    "time": _time,
    "roster": _roster,
    "host": _host,
    "package": _package,
    "place": _place,
    "url-path": _url_path,
    "sha256": _sha256,
    "cluster": _cluster,
}
