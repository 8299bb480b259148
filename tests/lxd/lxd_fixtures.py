"""Fixtures of tests on a real LXD: the server, a pool, a throw-away installation with its project, a fast image."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
from busybox import BUSYBOX, preload
from classroom import ROOMS, SPEC, Classroom, inventory, new_classroom, sweep

from generator.catalogue.load import load_catalogue
from generator.catalogue.model import MachineType
from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.stages.init import init

Busybox = Callable[[MachineType, str], str]
# Where installations of tests have their addresses, a /19 an environment; nothing else of ours uses it.
AREA = IPv4Network("10.192.0.0/11")
ENVIRONMENT_PREFIX = 19
WORKERS = "PYTEST_XDIST_WORKER_COUNT"


class OpenClassroom(Protocol):
    """Opens a classroom whose machines are busybox, or real Debian."""

    def __call__(
        self, spec: Mapping[str, Any] = SPEC, *, real: bool = False, storage: str | None = None
    ) -> Classroom: ...


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


@pytest.fixture(scope="session")
def blocks(lxd: Lxd) -> Iterator[str]:
    """Return free address blocks, each given once, also to tests of other workers of this run."""
    worker, workers = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), int(os.environ.get(WORKERS, "1"))
    listed = list(AREA.subnets(new_prefix=ENVIRONMENT_PREFIX))[worker::workers]
    texts = [network["config"].get("ipv4.address", "none") for network in lxd.get("networks", recursion=1)]
    used = [IPv4Network(text, strict=False) for text in texts if "/" in text]
    start = secrets.randbelow(len(listed))
    turns = (listed[(start + number) % len(listed)] for number in count())
    return (str(block) for block in turns if not any(block.overlaps(network) for network in used))


@pytest.fixture(scope="session")
def delivered(
    lxd: Lxd, pool: str, busybox: Busybox, blocks: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Classroom]:
    """Return a lab with two networks a seat, delivered to two students; one for all tests, see `classroom`."""
    opened: list[str] = []
    try:
        classroom = _opener(lxd, pool, busybox, blocks, tmp_path_factory, opened)(ROOMS)
        classroom.pipeline()
        yield classroom
    finally:
        for installation in opened:
            sweep(lxd, installation + "/")


@pytest.fixture
def classroom(delivered: Classroom) -> Classroom:
    """Return the delivered lab, as its definitions say: tests before, and other networks of the host, may differ."""
    for environment in ("dev", "prod"):
        delivered.provision(environment)
    return delivered


@pytest.fixture(scope="module")
def open_shared(
    lxd: Lxd, pool: str, busybox: Busybox, blocks: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenClassroom]:
    """Return what opens a classroom that the tests of one file share."""
    opened: list[str] = []
    try:
        yield _opener(lxd, pool, busybox, blocks, tmp_path_factory, opened)
    finally:
        for installation in opened:
            sweep(lxd, installation + "/")


@pytest.fixture
def open_classroom(
    lxd: Lxd, pool: str, busybox: Busybox, blocks: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenClassroom]:
    """Return what opens a classroom of one test; all that is left of it goes at the end."""
    opened: list[str] = []
    try:
        yield _opener(lxd, pool, busybox, blocks, tmp_path_factory, opened)
    finally:
        for installation in opened:
            sweep(lxd, installation + "/")


@pytest.fixture
def nothing_left(lxd: Lxd) -> Callable[[], set[str]]:
    """Return what tells the difference of LXD's inventory to that of before the test."""
    before = inventory(lxd)
    return lambda: inventory(lxd) ^ before


def _opener(
    lxd: Lxd,
    pool: str,
    busybox: Busybox,
    blocks: Iterator[str],
    folders: pytest.TempPathFactory,
    opened: list[str],
) -> OpenClassroom:
    def opens(spec: Mapping[str, Any] = SPEC, *, real: bool = False, storage: str | None = None) -> Classroom:
        folder: Path = folders.mktemp("classroom") / "labs"
        addresses = {environment: next(blocks) for environment in ("dev", "prod")}
        classroom = new_classroom(lxd, init(folder), addresses, storage or pool, spec)
        opened.append(classroom.installation)
        types = load_catalogue()
        for name in () if real else ("debian", "webserver"):
            busybox(types[name], classroom.installation)
        return classroom

    return opens
