"""When seats get the release: wishes that stand on the LXD project, so that nothing waits for hours in a process.

A seat is pending when a wish names it and it has a machine of another checkpoint than prod's release. `practicum
schedule` finishes it. A wish is of one release: a newer promotion needs a delivery of its own.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from practicum.errors import UsageError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.plan import BASE_IMAGE
from practicum.lxd.projects import note
from practicum.stages.deployment import Deployment
from practicum.stages.outcomes import Changed

WISHES = "user.practicum.wishes"
CLOCK = re.compile("[0-9]{1,2}:[0-9]{2}")


@dataclass(frozen=True)
class When:
    """When systems are replaced: as soon as nobody works on a seat (`idle`), and `by` then all the same; or at once."""

    idle: bool = False
    by: datetime | None = None

    def has_come(self, now: datetime) -> bool:
        """Say whether it is time for every seat, in use or not."""
        return not self.idle if self.by is None else now >= self.by

    @property
    def words(self) -> str:
        """Return it for people."""
        latest = f"{self.by:%Y-%m-%d %H:%M%z}" if self.by else ""
        if not self.idle:
            return f"at {latest}" if latest else "now"
        return "when nobody works on it" + (f", at {latest} at the latest" if latest else "")


@dataclass(frozen=True)
class Wish:
    """What somebody chose for some seats: when they get a release, and what becomes of changes by hand."""

    seats: tuple[str, ...]
    release: int
    when: When
    changed: Changed


NOW = When()


def parse_when(when: str, by: str, now: datetime) -> When:
    """Return what `--when` and `--by` say. Raises UsageError for what they cannot mean."""
    if by and when != "idle":
        raise UsageError("--by is for '--when idle': the time at which nobody is waited for any more")
    if when in ("now", "idle"):
        return When(when == "idle", _time(by, now) if by else None)
    return When(by=_time(when, now))


def _time(text: str, now: datetime) -> datetime:
    """Return a time of the form 04:00, the next one on this machine's clock, or of ISO's with its offset."""
    try:
        found = _next(text, now) if CLOCK.fullmatch(text) else datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is no time", resolution="04:00, or 2026-11-26T04:00+01:00") from error
    if found.tzinfo is None:
        raise UsageError(f"'{text}' has no offset from UTC", resolution=f"{text}Z, or {text}+01:00")
    if found <= now:
        raise UsageError(f"{text} is over", resolution="--when now")
    return found.astimezone(UTC)


def _next(text: str, now: datetime) -> datetime:
    hour, minute = map(int, text.split(":"))
    today = now.astimezone().date()
    days = [datetime.combine(today + timedelta(days), time(hour, minute)).astimezone() for days in (0, 1)]
    return next(day for day in days if day > now)


def read_wishes(config: Mapping[str, str]) -> list[Wish]:
    """Return the wishes on a project."""
    return [_wish(entry) for entry in json.loads(config.get(WISHES) or "[]")]


def change_wishes(lxd: Lxd, project: str, settled: Collection[str] | None, new: Iterable[Wish] = ()) -> None:
    """Take seats out of all wishes, every seat if None is given, and add new wishes; the lease is held."""
    found = read_wishes(lxd.get("projects", project)["config"]) if settled is not None else []
    gone = {*(settled or ()), *(seat for wish in new for seat in wish.seats)}
    left = [replace(wish, seats=tuple(seat for seat in wish.seats if seat not in gone)) for wish in found]
    listed = [_document(wish) for wish in (*left, *new) if wish.seats]
    note(lxd, project, {WISHES: json.dumps(listed) if listed else ""})


def pending(lxd: Lxd, deployment: Deployment) -> dict[str, Wish]:
    """Return the seats that are yet to get prod's release, each with what was chosen for it."""
    found = lxd.find("projects", deployment.scope.project)
    release = deployment.release or {}
    wishes = [wish for wish in read_wishes(found["config"] if found else {}) if wish.release == release.get("release")]
    if not wishes:
        return {}
    images = _images(lxd, deployment)
    return {seat: wish for wish in wishes for seat in wish.seats if _is_older(deployment, seat, images)}


def _is_older(deployment: Deployment, seat: str, images: Mapping[str, str]) -> bool:
    wanted = (deployment.release or {})["images"]
    entries = deployment.seats[seat]["instances"] if seat in deployment.seats else ()
    return any(
        images.get(entry["name"]) not in (None, wanted[entry["source"]["checkpoint"]])
        for entry in entries
        if "checkpoint" in entry["source"]
    )


def _images(lxd: Lxd, deployment: Deployment) -> dict[str, str]:
    try:
        machines = lxd.get("instances", project=deployment.scope.project, recursion=1)
    except LxdNotFound:
        return {}
    return {one["name"]: one["config"].get(BASE_IMAGE, "") for one in machines}


def _document(wish: Wish) -> dict[str, Any]:
    by = wish.when.by.isoformat() if wish.when.by else None
    return {**asdict(wish), "when": {"idle": wish.when.idle, "by": by}}


def _wish(entry: Mapping[str, Any]) -> Wish:
    by = entry["when"]["by"]
    when = When(entry["when"]["idle"], datetime.fromisoformat(by) if by else None)
    return Wish(tuple(entry["seats"]), entry["release"], when, entry["changed"])
