"""Files that steps wrote into a machine, and whether somebody changed them since: the record of a step tells."""

import base64
import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.render.definitions import canonical
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Instance
from practicum.lxd.errors import LxdNotFound
from practicum.lxd.plan import STEPS
from practicum.lxd.systems import covered

Step = Mapping[str, Any]
Record = Mapping[str, str]
FILE = "file "
# Nothing larger was delivered from git; a student may have put anything there.
MOST_BYTES = 16 * 2**20


def step_name(step: Step) -> str:
    """Return what a step is recorded as."""
    return "packages" if step["kind"] == "packages" else f"{step['kind']} {step.get('to') or step['name']}"


def step_digest(step: Step) -> str:
    """Return the digest that a step is recorded with."""
    return base64.b32encode(hashlib.sha256(canonical(step).encode()).digest())[:16].decode()


def recorded(config: Mapping[str, str]) -> dict[str, str]:
    """Return which steps a machine's config says were done, each with its digest."""
    return dict(json.loads(config.get(STEPS, "{}")))


def delivered_paths(record: Record) -> list[str]:
    """Return the paths of files that were delivered."""
    return [name.removeprefix(FILE) for name in record if name.startswith(FILE)]


def is_touched(lxd: Lxd, project: str, instance: str, path: str, digests: Container[str]) -> bool:
    """Say whether a delivered file is not what steps of these digests write: another content or mode, or gone."""
    try:
        answer = lxd.download("instances", instance, "files", project=project, path=path, stream=True)
    except LxdNotFound:
        return True
    with answer:
        content = bytes(answer.raw.read(MOST_BYTES))
    made = _steps_that_make(path, content, answer.headers.get("X-LXD-mode", ""))
    return not any(step_digest(step) in digests for step in made)


def overwritten(lxd: Lxd, project: str, instance: Instance, config: Mapping[str, str], *, system: bool) -> list[str]:
    """Return the delivered files that somebody changed, and that new files, or a new system, would overwrite."""
    record = recorded(config)
    new = {step_name(step): step_digest(step) for step in instance.steps}
    stays = (*mounts(instance), *instance.keep)
    touched = []
    for path in delivered_paths(record):
        digests = {record[FILE + path], new.get(FILE + path, record[FILE + path])}
        at_stake = len(digests) > 1 or (system and not covered(path, stays))
        if at_stake and is_touched(lxd, project, instance.name, path, digests):
            touched.append(path)
    return touched


def mounts(instance: Instance) -> list[str]:
    """Return where a machine has its volumes."""
    return [device["path"] for device in instance.devices.values() if device["type"] == "disk"]


def record_of(record: Record, patterns: Sequence[str]) -> str:
    """Return what a new system has recorded from its beginning: files that it takes over from the one before."""
    kept = {name: digest for name, digest in record.items() if _is_file_in(name, patterns)}
    return json.dumps(kept, sort_keys=True)


def _is_file_in(name: str, patterns: Iterable[str]) -> bool:
    return name.startswith(FILE) and covered(name.removeprefix(FILE), tuple(patterns))


def _steps_that_make(path: str, content: bytes, mode: str) -> Iterator[Step]:
    """Yield the steps that would have written a file as it is: rendered for the seat, or the same for all."""
    for special in range(8):  # LXD tells the last three digits of a mode
        step = {"kind": "file", "to": path, "mode": f"{special}{mode[-3:]}"}
        yield {**step, "content": content.decode(errors="replace")}
        yield {**step, "sha256": hashlib.sha256(content).hexdigest()}
