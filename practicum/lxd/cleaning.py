"""Clean the copy that becomes a checkpoint's image: identities, logs, histories, keys. The list is data."""

import fnmatch
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import yaml

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound


def cleaning_list() -> list[dict[str, str]]:
    """Return the entries of cleaning.yaml: `path` and `why`."""
    text = files("practicum.lxd").joinpath("cleaning.yaml").read_text(encoding="utf-8")
    entries: list[dict[str, str]] = yaml.safe_load(text)
    return entries


def clean(lxd: Lxd, project: str, instance: str, extra: tuple[str, ...] = ()) -> list[str]:
    """Remove what the list names, and the `extra` paths, from a stopped machine; return what was removed."""
    guest = _Guest(lxd, project, instance)
    removed: list[str] = []
    for pattern in [*(entry["path"] for entry in cleaning_list()), *extra]:
        for path in list(guest.matching(pattern)):
            guest.remove(path)
            removed.append(path)
    return removed


class _Guest:
    """Files of a stopped machine, through LXD's file API."""

    def __init__(self, lxd: Lxd, project: str, instance: str) -> None:
        self._lxd = lxd
        self._project = project
        self._instance = instance
        self._listed: dict[str, list[str] | None] = {}

    def matching(self, pattern: str) -> Iterator[str]:
        parts = pattern.strip("/").split("/")
        paths = [""]
        for part in parts:
            paths = [f"{path}/{name}" for path in paths for name in self._names(path) if fnmatch.fnmatch(name, part)]
        yield from paths

    def remove(self, path: str) -> None:
        for name in self._names(path):
            self.remove(f"{path}/{name}")
        try:
            self._lxd.delete("instances", self._instance, "files", project=self._project, path=path)
        except LxdNotFound:
            return
        self._listed.pop(path.rpartition("/")[0], None)

    def _names(self, folder: str) -> list[str]:
        if folder not in self._listed:
            self._listed[folder] = self._list(folder)
        return self._listed[folder] or []

    def _list(self, folder: str) -> list[str] | None:
        try:
            response = self._lxd.download(
                "instances", self._instance, "files", project=self._project, path=folder or "/"
            )
        except LxdNotFound:
            return None
        if response.headers.get("X-LXD-type") != "directory":
            return None
        names: list[Any] = response.json()["metadata"] or []
        return sorted(map(str, names))
