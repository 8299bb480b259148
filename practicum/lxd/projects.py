"""LXD projects: created with a marker, changed with ETag and always as a whole."""

from collections.abc import Iterable, Mapping
from typing import Any

from practicum.errors import TryAgainError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict

Document = Mapping[str, Any]
NOTE_TRIES = 5


def create_project(lxd: Lxd, project: Document) -> None:
    """Create a project; another run that created it at the same moment is welcome."""
    try:
        lxd.post("projects", body=dict(project))
    except LxdConflict:
        require_ours(lxd.get("projects", project["name"]), project["config"]["user.practicum"])


def foreign(documents: Iterable[Document], marker: str) -> list[Document]:
    """Return the documents that do not carry the marker of our installation."""
    installation = marker.split("/")[0]
    return [found for found in documents if found["config"].get("user.practicum", "").split("/")[0] != installation]


def ensure_project(lxd: Lxd, project: Document) -> None:
    """Create a project that is not there; in one that is, wait for what a killed run left LXD doing.

    Raises UnavailableError for somebody else's project.
    """
    found = lxd.find("projects", project["name"])
    if found is None:
        create_project(lxd, project)
        return
    require_ours(found, project["config"]["user.practicum"])
    lxd.wait_until_idle(project["name"])


def update_project(lxd: Lxd, project: Document) -> None:
    """Bring a project's settings back; it must be ours."""
    found, etag = lxd.get_with_etag("projects", project["name"])
    require_ours(found, project["config"]["user.practicum"])
    change_config(lxd, project["name"], found["config"], project["config"], etag)


def change_config(lxd: Lxd, name: str, config: Mapping[str, str], changes: Mapping[str, str], etag: str) -> None:
    """Change keys of a project's `config` as it was read with `etag`; an empty value removes a key.

    LXD's PATCH of a project drops every key that it is not sent (seen on 5.0.2), so all of them are sent.
    Raises LxdConflict when the project changed since it was read.
    """
    wanted = {key: value for key, value in {**config, **changes}.items() if value != ""}
    lxd.patch("projects", name, body={"config": wanted}, etag=etag)


def note(lxd: Lxd, name: str, changes: Mapping[str, str]) -> None:
    """Change keys of a project as it is now; an empty value removes one. A beat of the lease meanwhile does no harm."""
    for _ in range(NOTE_TRIES):
        found, etag = lxd.get_with_etag("projects", name)
        if all(found["config"].get(key, "") == value for key, value in changes.items()):
            return
        try:
            change_config(lxd, name, found["config"], changes, etag)
            return
        except LxdConflict:
            continue
    raise TryAgainError(f"the LXD project {name} is changed by others all the time", resolution="try again")


def require_ours(found: Document, marker: str) -> None:
    """Raise UnavailableError when an object carries another installation's marker than ours, or none."""
    carried = found["config"].get("user.practicum", "")
    if foreign([found], marker):
        raise UnavailableError(
            f"LXD already has a '{found['name']}' that this installation of Practicum did not make",
            details=f"its marker is '{carried}'" if carried else "it carries no marker",
            resolution="rename or remove it, or use another LXD; nothing was changed",
        )
