"""What tests on a real LXD share: the server, a pool, a throw-away installation with its project, a fast image."""

import os
import secrets
from collections.abc import Callable, Iterator

import pytest
from busybox import BUSYBOX, preload

from generator.catalogue.model import MachineType
from practicum.errors import PracticumError
from practicum.lxd.client import Lxd

Busybox = Callable[[MachineType, str], str]


def missing(need: str, reason: str) -> None:
    """Skip, or fail where this need is required (`PRACTICUM_REQUIRE=lxd,…`)."""
    if need in os.environ.get("PRACTICUM_REQUIRE", "").split(","):
        pytest.fail(f"{need} is required: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def lxd() -> Lxd:
    server = Lxd()
    try:
        server.get()
    except PracticumError as error:
        missing("lxd", f"{error.message}: {error.details}")
    return server


@pytest.fixture(scope="session")
def pool(lxd: Lxd) -> str:
    """Return the pool `practicum` when there is one, else the first btrfs pool."""
    pools = lxd.get("storage-pools", recursion=1)
    names = sorted(
        (found["name"] for found in pools if found["driver"] == "btrfs"), key=lambda name: name != "practicum"
    )
    if not names:
        missing("lxd", "LXD has no btrfs pool; 'practicum setup' makes one")
    return names[0]


@pytest.fixture
def installation(lxd: Lxd) -> Iterator[str]:
    """Return a random installation id; images that carry it go at the end."""
    name = f"test{secrets.token_hex(4)}"
    yield name
    for image in lxd.get("images", recursion=1):
        if image["properties"].get("user.practicum", "").split("/")[0] == name:
            lxd.delete("images", image["fingerprint"])


@pytest.fixture
def project(lxd: Lxd, installation: str) -> Iterator[str]:
    """Return an LXD project of this test alone, removed with its instances at the end."""
    config = {"features.images": "false", "features.profiles": "true", "user.practicum": f"{installation}/-/-/-/-"}
    lxd.post("projects", body={"name": installation, "config": config})
    yield installation
    for found in lxd.get("instances", project=installation, recursion=1):
        if found["status"] != "Stopped":
            body = {"action": "stop", "force": True, "timeout": 30}
            lxd.put("instances", found["name"], "state", project=installation, body=body)
        lxd.delete("instances", found["name"], project=installation)
    lxd.delete("projects", installation)


@pytest.fixture(scope="session")
def busybox(lxd: Lxd, tmp_path_factory: pytest.TempPathFactory) -> Busybox:
    """Return a function that puts the busybox image where the image of a type of an installation is looked for."""
    if not BUSYBOX.exists():
        missing("lxd", "busybox-static is not installed")
    folder = tmp_path_factory.mktemp("busybox")
    return lambda type, installation: preload(lxd, type, installation, folder)
