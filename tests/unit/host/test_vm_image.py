"""Disks of virtual machines: what a type gets in addition, and a disk whose parts are where firmware looks for them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from test_image_metadata import members

from generator.catalogue.load import load_catalogue
from generator.catalogue.recipe import recipe_digest
from generator.catalogue.virtual_machine import as_virtual_machine, find_type, image_key
from practicum.errors import PracticumError, UnavailableError
from practicum.lxd import vm_image
from practicum.lxd.image_metadata import TEMPLATES, VM_TEMPLATES, metadata_tarball
from practicum.lxd.images import image_properties
from practicum.lxd.vm_image import ESP_START, MIB, ROOT_START, assemble, build_disk, partition_table, require_tools

CATALOGUE = load_catalogue()
DEBIAN = CATALOGUE["debian"]
SEED = "sha256:1"


def unit(name: str, files: dict[str, str]) -> dict[str, list[str]]:
    """Return the settings of a unit file, several of one name in their order."""
    found: dict[str, list[str]] = {}
    for line in files[name].splitlines():
        key, mark, value = line.partition("=")
        if mark:
            found.setdefault(key, []).append(value)
    return found


def test_a_key_names_the_image_of_a_type_for_a_kind_of_machine() -> None:
    assert (image_key("debian", "container"), image_key("debian", "vm")) == ("debian", "debian/vm")
    assert find_type(CATALOGUE, "debian") == DEBIAN
    assert find_type(CATALOGUE, "debian/vm") == as_virtual_machine(DEBIAN)
    assert find_type(CATALOGUE, "nonsense") is None
    assert find_type(CATALOGUE, "nonsense/vm") is None


def test_a_bootable_image_is_another_image_with_all_of_the_first() -> None:
    image = as_virtual_machine(DEBIAN).image
    assert recipe_digest(image) != recipe_digest(DEBIAN.image)
    assert set(DEBIAN.image.packages) < set(image.packages)
    assert {"linux-image-amd64", "grub-efi-amd64-bin"} <= set(image.packages)
    assert dict(DEBIAN.image.files).items() <= dict(image.files).items()
    assert image.scripts[: len(DEBIAN.image.scripts)] == DEBIAN.image.scripts
    assert image.vm
    assert not DEBIAN.image.vm


def test_the_agent_starts_before_the_network_and_only_where_lxd_is() -> None:
    service = unit("/etc/systemd/system/lxd-agent.service", dict(as_virtual_machine(DEBIAN).image.files))
    assert "networking.service" in service["Before"][0].split()
    assert service["ExecCondition"][0].split() == ["/usr/lib/practicum/lxd-agent", "wait"]
    assert service["ExecStart"] == ["/run/lxd_agent/lxd-agent"]


@pytest.mark.parametrize("name", ["/usr/lib/practicum/lxd-agent"])
def test_the_script_of_the_agent_is_a_shell_script(name: str) -> None:
    text = as_virtual_machine(DEBIAN).image.files[name]
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    assert text.startswith("#!/bin/sh\n")


def test_a_virtual_machine_keeps_the_id_it_booted_with() -> None:
    assert set(TEMPLATES) - set(VM_TEMPLATES) == {"/etc/machine-id"}
    assert all("start" in when for _, when, _ in VM_TEMPLATES.values()), "a first start may be interrupted"
    content = members(metadata_tarball({}, 1, vm=True))
    assert "/etc/machine-id" not in content["metadata.yaml"]
    assert set(content) == {"metadata.yaml", *(f"templates/{name}" for name, _, _ in VM_TEMPLATES.values())}


def test_the_image_is_found_by_its_own_recipe() -> None:
    ours, others = (image_properties(type, "abc") for type in (as_virtual_machine(DEBIAN), DEBIAN))
    assert ours["practicum.recipe"] != others["practicum.recipe"]
    assert ours["description"] == "Practicum debian (virtual machine)"


def test_missing_programs_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(vm_image, "PATH", str(tmp_path))
    with pytest.raises(UnavailableError) as refused:
        build_disk(as_virtual_machine(DEBIAN).image, None, tmp_path / "rootfs.qcow2", print)
    assert refused.value.exit_code == 69
    assert refused.value.resolution == "run 'apt-get install e2fsprogs fdisk mtools qemu-utils'"
    assert list(tmp_path.iterdir()) == []


def test_the_root_partition_is_the_last_so_that_it_can_grow() -> None:
    efi, root = (line for line in partition_table(512 * MIB, SEED).splitlines() if line.startswith("start="))
    assert "type=uefi" in efi
    assert root.startswith(f"start={ROOT_START // 512}, size={512 * MIB // 512}, ")
    assert "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709" in root


def read(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": vm_image.PATH}).stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with a boot loader, a kernel and one deep file."""
    try:
        require_tools()
    except UnavailableError as error:
        pytest.skip(f"{error.message}; {error.resolution}")
    folder = tmp_path / "root"
    for name, text in {vm_image.LOADER: "loader", "boot/vmlinuz-6": "kernel", "etc/hostname": "x\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "vmlinuz").symlink_to("boot/vmlinuz-6")
    return folder


def test_a_disk_has_the_boot_loader_and_the_files_in_their_places(root: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk.raw"
    assemble(root, disk, SEED)
    table = json.loads(read("sfdisk", "--json", str(disk)))["partitiontable"]
    assert (table["label"], [one["name"] for one in table["partitions"]]) == ("gpt", ["esp", "root"])
    efi = read("mtype", "-i", f"{disk}@@{ESP_START}", "::/EFI/BOOT/BOOTX64.EFI")
    assert efi == "loader"
    place = f"{disk}?offset={ROOT_START}"
    assert 'Fast link dest: "boot/vmlinuz-6"' in read("debugfs", "-R", "stat /vmlinuz", place)
    assert read("debugfs", "-R", "cat /boot/vmlinuz-6", place) == "kernel"
    found = read("dumpe2fs", "-h", place)
    assert "Filesystem volume name:   root" in found
    assert "metadata_csum_seed" not in found
    assert "orphan_file" not in found
    read("e2fsck", "-fn", place)


def test_the_same_recipe_gives_the_same_ids(root: Path, tmp_path: Path) -> None:
    ids = []
    for name, seed in (("a", SEED), ("b", SEED), ("c", "sha256:2")):
        assemble(root, tmp_path / name, seed)
        ids.append(json.loads(read("sfdisk", "--json", str(tmp_path / name)))["partitiontable"]["id"])
    assert ids[0] == ids[1] != ids[2]


def test_what_a_program_says_reaches_the_user(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root / "usr")
    with pytest.raises(PracticumError) as failed:
        assemble(root, tmp_path / "disk.raw", SEED)
    assert failed.value.message.endswith("mcopy")
    assert "BOOTX64.EFI" in failed.value.details
