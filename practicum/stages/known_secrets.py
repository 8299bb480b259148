"""The secrets that no checkpoint may carry: keys and tokens of the operator, `secret()` values of the professor."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.render.references import REFERENCE
from generator.seats.names import PROFESSOR
from generator.spec.platform import Platform
from practicum.lxd.secret_search import Secret
from practicum.stages.deployment import Deployment
from practicum.stages.values import Values
from practicum.stages.workspace import Workspace, platforms_of

# Where a platform file names files that only the operator may read.
SECRET_FILES = (("lxd", "key"), ("web", "tls", "key"))
TOKEN = re.compile(r"(TOKEN|PASSWORD|PASSWD|SECRET|_KEY)$")
PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
# Whole lines of a key; what stands beside them, or in every key that OpenSSH writes, tells nothing.
KEY_LINE = re.compile(r"(?!b3BlbnNzaC1rZXktdjE)[A-Za-z0-9+/=]{40,}")
# What is shorter may stand anywhere by chance.
SHORTEST = 12


def known_secrets(workspace: Workspace, deployment: Deployment, values: Values) -> list[Secret]:
    """Return what a checkpoint of a deployment is searched for; each line that is long enough, never a whole file."""
    found = [*_of_operator(workspace, deployment), *_of_environment(os.environ), *_of_professor(deployment, values)]
    return list(dict.fromkeys(secret for secret in found if len(secret.value) >= SHORTEST))


def _of_operator(workspace: Workspace, deployment: Deployment) -> Iterator[Secret]:
    """Yield the lines of the operator's secret files; one that this user cannot read cannot be searched for."""
    root = workspace.repository.root
    for platform in platforms_of(workspace.repository.sources(deployment.commit)).values():
        for name in _files(platform):
            yield from (Secret(f"the operator's {name}", line) for line in _lines(root / Path(name)))


def _lines(path: Path) -> Iterator[str]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    # The header of a PEM file tells nothing, and stands in everybody's.
    yield from (line.strip().decode("latin-1") for line in lines if not line.startswith(b"-----"))


def _files(platform: Platform) -> Iterator[str]:
    yield platform.secret_key
    for place in SECRET_FILES:
        found: Any = platform.settings
        for key in place:
            found = found.get(key, {})
        if isinstance(found, str):
            yield found


def _of_environment(variables: Mapping[str, str]) -> Iterator[Secret]:
    for name, value in variables.items():
        for part in _parts(os.fsencode(value).decode("latin-1")) if TOKEN.search(name) else ():
            yield Secret(f"the environment variable {name} of who takes the checkpoint", part)


def _parts(value: str) -> list[str]:
    """Return what of a variable is searched for: a text of one line, or the lines of private keys among many."""
    if "\n" not in value:
        return [value]
    return [line for _, body in PEM.findall(value) for line in body.split() if KEY_LINE.fullmatch(line)]


def _of_professor(deployment: Deployment, values: Values) -> Iterator[Secret]:
    """Yield the values that the professor's per-student files and scripts have for the professor's own seat."""
    for name in sorted(_names(deployment.seats[PROFESSOR])):
        yield Secret(f"secret('{name}') of your copy", values.secret(name, PROFESSOR))


def _names(part: Any) -> set[str]:
    """Return the names of the secrets that a definition refers to."""
    if isinstance(part, str):
        return {argument for kind, argument in REFERENCE.findall(part) if kind == "secret"}
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return {name for one in inner for name in _names(one)}
