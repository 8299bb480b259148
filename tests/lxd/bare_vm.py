"""A virtual machine without LXD: qemu with the devices that LXD gives one, and a share made as LXD makes it."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from practicum.lxd.image_metadata import VM_TEMPLATES

FIRMWARE = Path("/usr/share/OVMF")
MAC = "00:16:3e:00:00:01"
MEMORY = "512"


@dataclass(frozen=True)
class BareVm:
    """A running machine: what it wrote to its serial console, and to the port that LXD's agent reports on."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def console(self) -> str:
        return (self.folder / "console").read_text("utf-8", "replace") if (self.folder / "console").exists() else ""

    @property
    def port(self) -> str:
        return (self.folder / "port").read_text() if (self.folder / "port").exists() else ""


def share(folder: Path, agent: Path, files: Mapping[str, str]) -> Path:
    """Make LXD's share `config`: the agent, and templates as LXD has rendered them (driver_qemu.go)."""
    made = folder / "config"
    (made / "files").mkdir(parents=True)
    shutil.copy(agent, made / "lxd-agent")
    (made / "lxd-agent").chmod(0o500)
    templates = {path: {"when": list(VM_TEMPLATES[path][1]), "template": VM_TEMPLATES[path][0]} for path in files}
    (made / "files" / "metadata.yaml").write_text(yaml.safe_dump({"templates": templates}))
    for path, text in files.items():
        (made / "files" / f"{VM_TEMPLATES[path][0]}.out").write_text(text)
    return made


@contextmanager
def running(folder: Path, disk: Path, config: Path) -> Iterator[BareVm]:
    """Boot a copy of `disk`, ten GiB large, on a network that leads nowhere."""
    root = folder / "root.qcow2"
    base = ("-f", "qcow2", "-F", "qcow2", "-b", str(disk.resolve()))
    subprocess.run(["qemu-img", "create", "-q", *base, str(root), "10G"], check=True)
    shutil.copy(FIRMWARE / "OVMF_VARS.fd", folder / "vars.fd")
    with subprocess.Popen(_command(folder, root, config), stdin=subprocess.DEVNULL) as process:
        try:
            yield BareVm(folder, process)
        finally:
            process.kill()


def _command(folder: Path, root: Path, config: Path) -> list[str]:
    # Emulated: a /dev/kvm that opens may still not run firmware, as on hosts that are virtual machines themselves.
    return [
        *(
            "qemu-system-x86_64",
            "-machine",
            "q35",
            "-accel",
            "tcg",
            "-cpu",
            "max",
            "-m",
            MEMORY,
            "-nodefaults",
            "-display",
            "none",
        ),
        *("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE / 'OVMF_CODE.fd'}"),
        *("-drive", f"if=pflash,format=raw,unit=1,file={folder / 'vars.fd'}"),
        *("-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=root,bootindex=0"),
        *("-drive", f"id=root,if=none,format=qcow2,file={root}"),
        *("-device", "virtio-serial-pci", "-chardev", f"file,id=agent,path={folder / 'port'}"),
        *("-device", "virtserialport,chardev=agent,name=org.linuxcontainers.lxd"),
        *("-fsdev", f"local,id=config,security_model=none,readonly=on,path={config}"),
        *("-device", "virtio-9p-pci,fsdev=config,mount_tag=config"),
        *("-netdev", "user,id=lan,restrict=on", "-device", f"virtio-net-pci,netdev=lan,mac={MAC}"),
        *("-serial", f"file:{folder / 'console'}", "-no-reboot"),
    ]
