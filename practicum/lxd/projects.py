"""LXD projects: created with a marker, changed with ETag and always as a whole."""

from collections.abc import Mapping
from typing import Any

from practicum.errors import UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdConflict

Document = Mapping[str, Any]


def create_project(lxd: Lxd, project: Document) -> None:
    """Create a project; another run that created it at the same moment is welcome."""
    try:
        lxd.post("projects", body=dict(project))
    except LxdConflict:
        require_ours(lxd.get("projects", project["name"]), project["config"]["user.practicum"])


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


def require_ours(found: Document, marker: str) -> None:
    """Raise UnavailableError when an object carries another installation's marker than ours, or none."""
    carried = found["config"].get("user.practicum", "")
    if carried.split("/")[0] != marker.split("/")[0]:
        raise UnavailableError(
            f"LXD already has a '{found['name']}' that this installation of Practicum did not make",
            details=f"its marker is '{carried}'" if carried else "it carries no marker",
            resolution="rename or remove it, or use another LXD; nothing was changed",
        )
