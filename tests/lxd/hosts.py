"""LXD servers of the tests' own, each in a directory and a network namespace: other hosts, as far as LXD can tell.

Everything of one `Site` is below one folder, whose file `owner` names the process that made it. What a killed test run
left is found by that folder and removed by the next one.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from busybox import preload
from classroom import Classroom, new_classroom, until

from generator.catalogue.load import load_catalogue
from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.daemon import start_time
from practicum.stages.init import init

PREFIX = "practicum-site-"
PORT = 8443
JOIN = "only-in-this-test"
POOL = "practicum"
PROC = Path("/proc")
INSIDE, APART = ("nsenter",), ("unshare", "--mount", "--propagation", "slave")
# Like `ip netns exec`, which shows the namespace's networks below /sys, but with the cgroups that containers need.
DAEMON = """
set -e
mkdir -p "$1/cgroup"
mount --rbind /sys/fs/cgroup "$1/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$1/cgroup" /sys/fs/cgroup
umount --lazy "$1/cgroup"
exec lxd --group root --logfile "$1/log"
"""


@dataclass(frozen=True)
class Server:
    """One LXD: its folder, its network namespace, and the address that it answers at."""

    folder: Path
    namespace: str
    address: str

    @property
    def socket(self) -> str:
        return str(self.folder / "unix.socket")

    @property
    def url(self) -> str:
        return f"https://{self.address}:{PORT}"

    @property
    def certificate(self) -> Path:
        """What the server shows: a cluster's members show the same."""
        shared = self.folder / "cluster.crt"
        return shared if shared.exists() else self.folder / "server.crt"

    def start(self) -> None:
        """Start the daemon, and wait until it answers."""
        with (self.folder / "output").open("ab") as output:
            subprocess.Popen(
                [*INSIDE, f"--net=/run/netns/{self.namespace}", *APART, "sh", "-c", DAEMON, "sh", str(self.folder)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/",
                env={**os.environ, "LXD_DIR": str(self.folder)},
            )  # fmt: skip
        until(self.answers, f"LXD in {self.folder}")

    def answers(self) -> bool:
        with suppress(PracticumError):
            Lxd(self.socket).get()
            return True
        return False

    def listen(self) -> None:
        Lxd(self.socket).patch(body={"config": {"core.https_address": f"{self.address}:{PORT}"}})

    def make_pool(self) -> None:
        Lxd(self.socket).post("storage-pools", body={"name": POOL, "driver": "dir"})

    def trust(self, certificate: Path) -> None:
        """Let the owner of a client certificate in."""
        text = "".join(line for line in certificate.read_text().splitlines() if "-----" not in line)
        body = {"type": "client", "name": "practicum", "certificate": text}
        Lxd(self.socket).post("certificates", body=body)

    @property
    def name(self) -> str:
        return self.folder.name

    def found_cluster(self) -> None:
        """Make a cluster of this one server, which others may join."""
        lxd = Lxd(self.socket)
        lxd.put("cluster", body={"server_name": self.name, "enabled": True})
        lxd.patch(body={"config": {"core.trust_password": JOIN}})

    def join(self, first: "Server") -> None:
        """Become a member of another server's cluster, with a pool of the same name."""
        pool = {"entity": "storage-pool", "name": POOL, "key": "source", "value": ""}
        body = {
            "server_name": self.name,
            "enabled": True,
            "server_address": f"{self.address}:{PORT}",
            "cluster_address": f"{first.address}:{PORT}",
            "cluster_certificate": first.certificate.read_text(),
            "cluster_password": JOIN,
            "member_config": [pool],
        }
        Lxd(self.socket).put("cluster", body=body)

    def run(self, *command: str) -> str:
        """Run a command in the server's network and return what it printed."""
        inside = [*INSIDE, f"--net=/run/netns/{self.namespace}", *command]
        environment = {**os.environ, "LXD_DIR": str(self.folder)}
        return subprocess.run(inside, check=True, capture_output=True, text=True, env=environment).stdout

    def stop(self) -> None:
        """End the daemon like a host whose power fails: its machines go too."""
        for process in processes_of(self.folder):
            with suppress(ProcessLookupError):
                os.kill(process, 9)
        until(lambda: not processes_of(self.folder), f"the end of {self.folder}")


@dataclass
class Site:
    """Servers that share a network with this machine."""

    folder: Path
    number: int
    servers: list[Server] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.folder.name.removeprefix(PREFIX)

    @property
    def switch(self) -> str:
        return f"pt{self.name}sw"

    def open(self) -> None:
        """Make the network, with this machine as its first host."""
        owner = f"{os.getpid()} {start_time(os.getpid())}"
        (self.folder / "owner").write_text(owner)
        _ip("netns", "add", self.switch)
        _ip("-n", self.switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self.switch, "link", "set", "bridge", "up")
        self._plug("", f"pt{self.name}", 1)

    def add(self) -> Server:
        """Add a server that answers on its socket only, and has nothing yet."""
        position = len(self.servers) + 2
        namespace = f"pt{self.name}m{position}"
        _ip("netns", "add", namespace)
        _ip("-n", namespace, "link", "set", "lo", "up")
        self._plug(namespace, "eth0", position)
        folder = self.folder / f"m{position}"
        folder.mkdir()
        server = Server(folder, namespace, self.address(position))
        self.servers.append(server)
        server.start()
        return server

    def address(self, position: int) -> str:
        return f"198.19.{self.number}.{position}"

    def client(self) -> tuple[Path, Path]:
        """Return a client's certificate and key, made once."""
        certificate, key = self.folder / "client.crt", self.folder / "client.key"
        if not key.exists():
            make_certificate(certificate, key)
        return certificate, key

    def close(self) -> None:
        clear(self.folder)

    def _plug(self, namespace: str, device: str, position: int) -> None:
        place = ["-n", namespace] if namespace else []
        other = ["netns", namespace] if namespace else ["netns", str(os.getpid())]
        port = f"port{position}"
        _ip("-n", self.switch, "link", "add", port, "type", "veth", "peer", "name", device, *other)
        _ip("-n", self.switch, "link", "set", port, "master", "bridge", "up")
        _ip(*place, "address", "add", f"{self.address(position)}/24", "dev", device)
        _ip(*place, "link", "set", device, "up")


def new_site() -> Site:
    """Return a site with a network of its own; what killed runs left is removed first."""
    place = Path(tempfile.gettempdir())
    for folder in place.glob(f"{PREFIX}*"):
        if not _owner_lives(folder):
            clear(folder)
    folder = place / f"{PREFIX}{secrets.token_hex(2)}"
    folder.mkdir(mode=0o711)
    site = Site(folder, secrets.randbelow(250))
    site.open()
    return site


def settings(site: Site, server: Server) -> dict[str, str]:
    """Return what a platform file says of a server of a site."""
    certificate, key = site.client()
    pinned = server.certificate
    return {"url": server.url, "certificate": str(certificate), "key": str(key), "server_certificate": str(pinned)}


def classroom_on(
    site: Site, server: Server, lxd: Lxd, folder: Path, addresses: Mapping[str, str], spec: Mapping[str, Any]
) -> Classroom:
    """Return a classroom with busybox machines on a server of a site; it goes with the site."""
    repository = init(folder / "labs")
    changes = {}
    for environment in addresses:
        path = f"environments/{environment}/platform.yaml"
        content = {**yaml.safe_load(repository.sources("HEAD").read(path)), "lxd": settings(site, server)}
        changes[path] = yaml.safe_dump(content).encode()
    repository.commit(changes, "Use the other host")
    classroom = new_classroom(lxd, repository, addresses, POOL, spec)
    for name in ("webserver", "debian"):
        preload(lxd, load_catalogue()[name], classroom.installation, folder)
    return classroom


def make_certificate(certificate: Path, key: Path, name: str = "practicum") -> None:
    """Make a self-signed certificate as `lxc` makes one."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes"]
    command += ["-days", "30", "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    key.chmod(0o600)


def clear(folder: Path) -> None:
    """End all processes of a site, and remove its networks, mounts and files."""
    until(lambda: not _end(folder), f"the end of {folder}")
    name = folder.name.removeprefix(PREFIX)
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    for namespace in (line.split()[0] for line in listed.splitlines() if line.startswith(f"pt{name}")):
        _ip("netns", "delete", namespace)
    for mount in sorted(_mounts(folder), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    shutil.rmtree(folder)


def processes_of(folder: Path) -> list[int]:
    """Return the processes of an LXD and its machines' keepers: their command line or environment names the folder."""
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                if str(folder).encode() in words:
                    found.append(int(entry.name))
    return found


def _end(folder: Path) -> list[int]:
    found = processes_of(folder)
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process, 9)
    return found


def _owner_lives(folder: Path) -> bool:
    try:
        process, began = (folder / "owner").read_text().split(" ", 1)
    except (OSError, ValueError):
        return False
    return start_time(int(process)) == began


def _mounts(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [place for place in (line.split()[4] for line in lines) if place.startswith(f"{folder}/")]


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
