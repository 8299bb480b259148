"""Virtual machines: a disk that boots, an image that LXD takes, a lab that runs where LXD can run it."""

import os
import shutil
from functools import partial
from pathlib import Path

import pytest
from bare_vm import FIRMWARE, running, share
from classroom import until
from lxd_fixtures import OpenClassroom, missing

from generator.catalogue.load import load_catalogue
from generator.catalogue.virtual_machine import as_virtual_machine
from practicum.errors import PracticumError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.images import ensure_image, find_image, image_properties
from practicum.lxd.vm_image import cached_disk, require_tools
from practicum.lxd.vm_support import inoperable, runs_virtual_machines
from practicum.stages.provision import plan_only

pytestmark = pytest.mark.lxd

DEBIAN = as_virtual_machine(load_catalogue()["debian"])
SPEC = {
    "version": 1,
    "title": "Legacy",
    "students": 1,
    "volumes": {},
    "machines": {"old": {"type": "debian", "kind": "vm"}},
    "checks": [{"name": "kernel of its own", "exec": {"machine": "old", "run": "test -d /sys/firmware/efi"}}],
}
# Said on the console by the network's own service: it comes after the agent has written this file.
INTERFACES = """\
auto lo
iface lo inet loopback
auto eth0
iface eth0 inet static
  address 10.64.0.9/26
  up sh -c 'echo; echo "network: $(ip -4 -br address show eth0)"; df -m --output=size /' > /dev/ttyS0
"""


@pytest.fixture
def disk() -> Path:
    if "vm" not in os.environ.get("PRACTICUM_REQUIRE", "").split(","):
        pytest.skip("vm: a disk takes minutes to build and to boot; PRACTICUM_REQUIRE=lxd,vm asks for it")
    try:
        require_tools()
        return cached_disk(DEBIAN.image, None, print)
    except PracticumError as error:
        missing("vm", f"{error.message}; {error.resolution}")


@pytest.mark.timeout(1500)
def test_the_disk_boots_and_takes_what_lxd_gives_it(disk: Path, tmp_path: Path) -> None:
    agent = shutil.which("lxd-agent")
    if agent is None or shutil.which("qemu-system-x86_64") is None or not FIRMWARE.exists():
        missing("vm", "qemu-system-x86, ovmf and lxd-agent are not all installed")
    files = {"/etc/hostname": "old\n", "/etc/network/interfaces": INTERFACES}
    with running(tmp_path, disk, share(tmp_path, Path(agent), files)) as machine:
        until(lambda: "old login:" in machine.console or machine.process.poll() is not None, "the login prompt", 900)
        assert "old login:" in machine.console, machine.console[-3000:]
        (network,) = (line for line in machine.console.splitlines() if line.startswith("network:"))
        assert network.split()[:2] == ["network:", "eth0"]
        assert "10.64.0.9/26" in network


@pytest.mark.timeout(1500)
def test_lxd_takes_the_disk_as_the_image_of_a_virtual_machine(lxd: Lxd, installation: str, disk: Path) -> None:
    properties = image_properties(DEBIAN, installation)
    fingerprint = ensure_image(lxd, DEBIAN, installation, None, print)
    assert lxd.get("images", fingerprint)["type"] == "virtual-machine"
    assert find_image(lxd, properties) == fingerprint
    assert find_image(lxd, image_properties(load_catalogue()["debian"], installation)) is None


def test_where_lxd_runs_no_virtual_machines_nothing_is_begun(lxd: Lxd, open_classroom: OpenClassroom) -> None:
    if runs_virtual_machines(lxd):
        pytest.skip("vm: this LXD runs virtual machines")
    room = open_classroom(SPEC)
    before = set(room.documents())
    acts = (room.pipeline, partial(plan_only, room.workspace, room.lab, "dev"), partial(room.provision, "dev"))
    for act in acts:  # the pipeline generates and commits the definitions that the others read
        with pytest.raises(UnavailableError) as refused:
            act()
        assert refused.value.exit_code == 69
        assert "(old)" in refused.value.message
        assert refused.value.details == "\n".join(f"LXD says: {reason}" for reason in inoperable(lxd))
    assert set(room.documents()) == before


@pytest.mark.timeout(2400)
def test_a_lab_with_a_virtual_machine_is_delivered(lxd: Lxd, open_classroom: OpenClassroom) -> None:
    if not runs_virtual_machines(lxd):
        missing("vm", f"LXD runs no virtual machines here: {'; '.join(inoperable(lxd))}")
    room = open_classroom(SPEC)
    room.pipeline()
    assert [names for names in room.smoke("prod").values() if names] == []
