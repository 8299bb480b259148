"""Disks of virtual machines: a GPT disk with an EFI partition and the root file system, made without mounting anything.

LXD takes a VM's image as a metadata tarball and a qcow2 disk called rootfs.img (LXD documentation, "Image format").
"""

import os
import shutil
import subprocess
import uuid
from pathlib import Path

from generator.catalogue.model import Image
from generator.catalogue.recipe import recipe_digest
from practicum.errors import PracticumError, UnavailableError
from practicum.lxd.rootfs import Report, build_rootfs, cached_rootfs

MIB = 2**20
TOOLS = {"sfdisk": "fdisk", "mke2fs": "e2fsprogs", "mformat": "mtools", "mcopy": "mtools", "qemu-img": "qemu-utils"}
# Programs of the system administrator are not on everybody's path.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
ESP_START, ESP_SIZE = 1 * MIB, 64 * MIB
ROOT_START = ESP_START + ESP_SIZE
BACKUP_TABLE = 1 * MIB
# Room for what provisioning installs before the partition has grown, and for the file system's own tables.
SLACK, SPARE = 1.15, 256 * MIB
# The boot loader must read it: nothing that GRUB 2.06 does not know, whatever this host's mke2fs prefers.
FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,"
    "dir_nlink,extra_isize,metadata_csum"
)
LOADER = "usr/lib/practicum/BOOTX64.EFI"


def cached_disk(image: Image, mirror: str | None, report: Report, folder: Path | None = None) -> Path:
    """Return the cached disk of `image` as qcow2, built now when the recipe has none yet; see `cached_rootfs`."""
    return cached_rootfs(image, mirror, report, folder, build=build_disk, name="rootfs.qcow2")


def build_disk(image: Image, mirror: str | None, destination: Path, report: Report) -> None:
    """Build the disk of `image` at `destination`. Raises UnavailableError naming the packages that this host lacks."""
    require_tools()
    root = destination.parent / "root"
    build_rootfs(image, mirror, root, report)
    report("making the disk")
    raw = destination.with_suffix(".raw")
    assemble(root, raw, recipe_digest(image))
    shutil.rmtree(root)
    report("packing the image")
    _run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", str(raw), str(destination))
    raw.unlink()


def require_tools() -> None:
    """Raise UnavailableError, with the command that installs them, when programs for making disks are missing."""
    missing = sorted({package for program, package in TOOLS.items() if shutil.which(program, path=PATH) is None})
    if missing:
        raise UnavailableError(
            f"no disk of a virtual machine can be made: {', '.join(missing)} not installed",
            resolution=f"run 'apt-get install {' '.join(missing)}'",
        )


def assemble(root: Path, disk: Path, seed: str) -> None:
    """Write a disk with the file system `root` and the boot loader that stands in it; the same seed gives the same ids.

    Owners are those of the files, so it needs root like the building of `root` did.
    """
    size = root_size(root)
    with disk.open("wb") as file:
        file.truncate(ROOT_START + size + BACKUP_TABLE)
    _run("sfdisk", "--quiet", str(disk), given=partition_table(size, seed))
    esp = f"{disk}@@{ESP_START}"
    _run("mformat", "-i", esp, "-v", "ESP", "-T", str(ESP_SIZE // 512), "::")
    _run("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT")
    _run("mcopy", "-i", esp, str(root / LOADER), "::/EFI/BOOT/BOOTX64.EFI")
    _run(
        "mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-O", FEATURES, "-m", "1", "-b", "4096",
        "-U", _identifier(seed, "file system"), "-E", f"offset={ROOT_START}", "-d", str(root), str(disk),
        str(size // 4096),
    )  # fmt: skip


def partition_table(size: int, seed: str) -> str:
    """Return sfdisk's script for a root partition of `size` bytes; it is the last one, so that it can grow."""
    return "\n".join(
        (
            "label: gpt",
            f"label-id: {_identifier(seed, 'disk')}",
            "first-lba: 34",
            f"start={ESP_START // 512}, size={ESP_SIZE // 512}, type=uefi, uuid={_identifier(seed, 'esp')}, name=esp",
            f"start={ROOT_START // 512}, size={size // 512}, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, "
            f"uuid={_identifier(seed, 'root')}, name=root",
            "",
        )
    )


def root_size(root: Path) -> int:
    """Return how large the root partition becomes: bytes, whole MiB."""
    used = sum(entry.lstat().st_blocks * 512 + 512 for entry in root.rglob("*"))
    return (int(used * SLACK) + SPARE) // MIB * MIB


def _identifier(seed: str, part: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"practicum:{seed}:{part}"))


def _run(*command: str, given: str = "") -> None:
    environment = {**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}
    done = subprocess.run(command, input=given, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise PracticumError(
            f"making the disk of a virtual machine failed: {command[0]}",
            details=(done.stderr or done.stdout).strip()[-2000:],
            resolution="look whether the disk with the cache of images is full",
        )
