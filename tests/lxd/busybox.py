"""A 2 MB image for fast tests on a real LXD: busybox, a shell loop as init, a web server, an open port 22."""

import io
import os
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from generator.catalogue.model import MachineType
from practicum.lxd.client import Lxd
from practicum.lxd.images import image_properties, import_image

BUSYBOX = Path("/bin/busybox")
MADE = 10**9  # one time for all, so that the same content is the same image; LXD refuses 0
PAGE = "<h1>busybox</h1>\n"

# The signals by which LXD asks a container to halt; 37 is SIGRTMIN+3. A shell that waits answers at once.
INIT = """\
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
trap 'exit 0' TERM PWR INT 37
hostname "$(cat /etc/hostname)"
while read -r key value rest; do
  case $key in
    iface) device=$value; ip link set "$device" up ;;
    address) ip address add "$value" dev "$device" ;;
    gateway) ip route add default via "$value"; ping -c 1 -W 1 "$value" & ;;
    up|post-up) eval "$value $rest" ;;
  esac
done < /etc/network/interfaces
httpd -p 80 -h /var/www/html
nc -ll -p 22 -e /bin/true &
while :; do sleep 3600 & wait $!; done
"""

FILES: dict[str, tuple[int, str]] = {
    "sbin/init": (0o755, INIT),
    "etc/passwd": (0o644, "root:x:0:0::/root:/bin/sh\nstudent:x:1000:1000::/home/student:/bin/sh\n"),
    "etc/group": (0o644, "root:x:0:\nstudent:x:1000:\n"),
    "etc/shadow": (0o640, "root:*:1::::::\nstudent:*:1::::::\n"),
    "var/www/html/index.html": (0o644, PAGE),
    "home/student/.profile": (0o644, "# from the image\n"),
}
FOLDERS = {
    **dict.fromkeys(
        ("bin", "sbin", "usr", "usr/bin", "usr/sbin", "usr/local", "usr/local/bin", "usr/local/sbin"), 0o755
    ),
    **dict.fromkeys(("dev", "proc", "sys", "run", "etc", "etc/network", "home", "home/student", "mnt", "srv"), 0o755),
    **dict.fromkeys(("opt", "var", "var/lib", "var/log", "var/www", "var/www/html"), 0o755),
    "root": 0o700,
    "tmp": 0o1777,
}


def busybox_image(lxd: Lxd, properties: Mapping[str, str], folder: Path) -> str:
    """Import the image with these properties; `folder` is a temporary one. Return the fingerprint."""
    rootfs = folder / "busybox.tar"
    if not rootfs.exists():
        write_rootfs(rootfs)
    return import_image(lxd, rootfs, properties)


def preload(lxd: Lxd, type: MachineType, installation: str, folder: Path) -> str:
    """Make LXD hold the busybox image where `ensure_image` looks for the image of `type`."""
    return busybox_image(lxd, image_properties(type, installation), folder)


def write_rootfs(path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        for name, mode in sorted(FOLDERS.items()):
            tar.addfile(_entry(name, mode, tarfile.DIRTYPE))
        _add_file(tar, "bin/busybox", 0o755, BUSYBOX.read_bytes())
        for name, (mode, text) in FILES.items():
            _add_file(tar, name, mode, text.encode())
        for name in _applets() - FILES.keys() - {"bin/busybox"}:
            link = _entry(name, 0o777, tarfile.SYMTYPE)
            link.linkname = "/bin/busybox"
            tar.addfile(link)
    os.utime(path, (MADE, MADE))


def _applets() -> set[str]:
    listed = subprocess.run([BUSYBOX, "--list-full"], capture_output=True, text=True, check=True).stdout.split()
    names = {name if "/" in name else f"bin/{name}" for name in listed}
    return {name for name in names if name.rsplit("/", 1)[0] in FOLDERS}


def _add_file(tar: tarfile.TarFile, name: str, mode: int, content: bytes) -> None:
    entry = _entry(name, mode, tarfile.REGTYPE)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _entry(name: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.type = mode, kind
    entry.uid = entry.gid = 1000 if name.startswith("home/student") else 0
    return entry
