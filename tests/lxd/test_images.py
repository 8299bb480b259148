"""Images on a real LXD: found by recipe, one an installation, and machines made from them know who they are."""

import io
import secrets
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from generator.catalogue.load import load_catalogue
from generator.catalogue.model import MachineType
from practicum.errors import PracticumError, UnavailableError
from practicum.lxd import rootfs
from practicum.lxd.client import Lxd
from practicum.lxd.images import ensure_image, find_image, image_properties, import_image

pytestmark = pytest.mark.lxd

Busybox = Callable[[MachineType, str], str]
WEBSERVER = load_catalogue()["webserver"]
INTERFACES = """\
auto lo
iface lo inet loopback

# <tags>, "quotes" & {{ braces }} arrive as they are
auto eth0
iface eth0 inet static
    address {address}/24
    gateway {gateway}"""


@pytest.fixture
def network(lxd: Lxd) -> Iterator[tuple[str, str]]:
    """A bridge of this test alone: its name, and the first three numbers of its addresses."""
    name = f"pt{secrets.token_hex(4)}"
    prefix = f"10.250.{secrets.randbelow(256)}"
    config = {"ipv4.address": f"{prefix}.1/24", "ipv4.nat": "false", "ipv6.address": "none"}
    lxd.post("networks", body={"name": name, "type": "bridge", "config": config})
    yield name, prefix
    lxd.delete("networks", name)


def create(lxd: Lxd, project: str, pool: str, fingerprint: str, name: str = "s001-web", **config: str) -> None:
    body = {
        "name": name,
        "source": {"type": "image", "fingerprint": fingerprint},
        "profiles": ["default"],
        "config": {f"user.practicum.{key}": value for key, value in config.items()},
        "devices": {"root": {"type": "disk", "path": "/", "pool": pool}},
    }
    lxd.post("instances", project=project, body=body)


def change_state(lxd: Lxd, project: str, action: str, name: str = "s001-web") -> None:
    lxd.put("instances", name, "state", project=project, body={"action": action, "timeout": 20})


def shell(lxd: Lxd, project: str, script: str, name: str = "s001-web") -> str:
    result = lxd.run(name, ["sh", "-c", script], project=project)
    assert result.exit_code == 0, result
    return result.stdout


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def answers(lxd: Lxd, project: str, address: str, name: str = "s001-web") -> bool:
    command = f"wget -q -O /dev/null http://{address}/ || curl -sf -o /dev/null http://{address}/"
    return lxd.run(name, ["sh", "-c", command], project=project).exit_code == 0


def test_a_preloaded_image_is_found_and_nothing_is_built(lxd: Lxd, installation: str, busybox: Busybox) -> None:
    fingerprint = busybox(WEBSERVER, installation)
    said: list[str] = []
    assert ensure_image(lxd, WEBSERVER, installation, None, said.append) == fingerprint
    assert said == []


def test_an_image_of_another_recipe_or_installation_is_not_taken(lxd: Lxd, installation: str, busybox: Busybox) -> None:
    busybox(WEBSERVER, installation)
    other = replace(WEBSERVER, image=replace(WEBSERVER.image, packages=(*WEBSERVER.image.packages, "tcpdump")))
    assert find_image(lxd, image_properties(other, installation)) is None
    assert find_image(lxd, image_properties(WEBSERVER, installation + "x")) is None


def test_two_installations_have_two_images_and_the_same_import_twice_is_one(
    lxd: Lxd, installation: str, busybox: Busybox
) -> None:
    first = busybox(WEBSERVER, installation)
    second = busybox(WEBSERVER, f"{installation}/b")
    assert first != second
    assert busybox(WEBSERVER, installation) == first


class BreaksOff(io.RawIOBase):
    """A file of 8 MiB whose second half cannot be read."""

    len = 8 * 2**20
    given = 0

    def read(self, size: int = -1) -> bytes:
        if self.given >= self.len // 2:
            raise OSError("the disk is gone")
        self.given += size
        return b"x" * size


def test_an_upload_that_breaks_off_leaves_no_image(
    lxd: Lxd, installation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tarball = tmp_path / "rootfs.tar.zst"
    tarball.touch()
    monkeypatch.setattr(Path, "open", lambda *_: BreaksOff())
    properties = image_properties(WEBSERVER, installation)
    with pytest.raises((PracticumError, OSError)):
        import_image(lxd, tarball, properties)
    monkeypatch.undo()
    assert find_image(lxd, properties) is None


def test_a_type_without_a_recipe_is_refused_by_name(lxd: Lxd, installation: str) -> None:
    with pytest.raises(UnavailableError, match="'kubernetes-node'") as caught:
        ensure_image(lxd, load_catalogue()["kubernetes-node"], installation, None, print)
    assert caught.value.exit_code == 69


def test_a_cached_root_file_system_is_imported_without_a_build(
    lxd: Lxd, installation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    digest = image_properties(WEBSERVER, installation)["practicum.recipe"].removeprefix("sha256:")
    rootfs.cache_folder().mkdir(parents=True)
    with tarfile.open(rootfs.cache_folder() / f"{digest}.tar.zst", "w") as tar:
        tar.addfile(tarfile.TarInfo("file"), io.BytesIO())
    fingerprint = ensure_image(lxd, WEBSERVER, installation, None, lambda _: None)
    assert find_image(lxd, image_properties(WEBSERVER, installation)) == fingerprint


def test_a_machine_is_up_at_its_configured_address(
    lxd: Lxd, pool: str, network: tuple[str, str], installation: str, project: str, busybox: Busybox
) -> None:
    bridge, prefix = network
    text = INTERFACES.replace("{address}", f"{prefix}.10").replace("{gateway}", f"{prefix}.1")
    create(
        lxd, project, pool, busybox(WEBSERVER, installation), hostname="web", interfaces=text,
        resolv=f"nameserver {prefix}.1\nsearch lab", hosts=f"127.0.0.1 localhost\n{prefix}.10 web",
    )  # fmt: skip
    nic = {"eth0": {"type": "nic", "name": "eth0", "nictype": "bridged", "parent": bridge}}
    lxd.patch("instances", "s001-web", project=project, body={"devices": nic})
    change_state(lxd, project, "start")
    assert shell(lxd, project, "cat /etc/network/interfaces") == text + "\n"
    assert shell(lxd, project, "cat /etc/resolv.conf") == f"nameserver {prefix}.1\nsearch lab\n"
    assert shell(lxd, project, "cat /etc/hosts /etc/hostname") == f"127.0.0.1 localhost\n{prefix}.10 web\nweb\n"
    until(lambda: answers(lxd, project, f"{prefix}.10"))
    assert shell(lxd, project, "hostname") == "web\n"
    assert shell(lxd, project, "stat -c %u:%g /home/student") == "1000:1000\n"


def test_without_settings_the_name_is_the_machines_own(
    lxd: Lxd, pool: str, installation: str, project: str, busybox: Busybox
) -> None:
    create(lxd, project, pool, busybox(WEBSERVER, installation))
    change_state(lxd, project, "start")
    assert shell(lxd, project, "cat /etc/hostname") == "s001-web\n"
    assert "127.0.1.1 s001-web\n" in shell(lxd, project, "cat /etc/hosts")
    assert "iface eth0 inet dhcp" in shell(lxd, project, "cat /etc/network/interfaces")


def test_a_restart_takes_a_changed_address_and_leaves_what_was_edited_by_hand(
    lxd: Lxd, pool: str, installation: str, project: str, busybox: Busybox
) -> None:
    create(lxd, project, pool, busybox(WEBSERVER, installation), interfaces="auto lo", hosts="127.0.0.1 localhost")
    change_state(lxd, project, "start")
    shell(lxd, project, "echo 192.0.2.1 mine >> /etc/hosts; echo 0123 > /etc/machine-id")
    lxd.patch("instances", "s001-web", project=project, body={"config": {"user.practicum.interfaces": "auto lo eth7"}})
    change_state(lxd, project, "stop")
    change_state(lxd, project, "start")
    assert shell(lxd, project, "cat /etc/network/interfaces") == "auto lo eth7\n"
    assert "192.0.2.1 mine" in shell(lxd, project, "cat /etc/hosts")
    assert shell(lxd, project, "cat /etc/machine-id") == "0123\n"


def test_a_copy_has_its_own_identity(lxd: Lxd, pool: str, installation: str, project: str, busybox: Busybox) -> None:
    create(lxd, project, pool, busybox(WEBSERVER, installation), hostname="web")
    change_state(lxd, project, "start")
    shell(lxd, project, "echo 0123 > /etc/machine-id")
    change_state(lxd, project, "stop")
    source = {"type": "copy", "source": "s001-web"}
    config = {"user.practicum.hostname": "other"}
    body = {"name": "s002-web", "source": source, "profiles": ["default"], "config": config}
    lxd.post("instances", project=project, body=body)
    change_state(lxd, project, "start", "s002-web")
    assert shell(lxd, project, "cat /etc/hostname; cat /etc/machine-id", "s002-web") == "other\n"
