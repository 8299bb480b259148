"""The LXD daemon of this host: found, started by systemd or by hand, and stopped when it was we who started it."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from practicum.errors import PermissionsError, PracticumError, TryAgainError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.endpoints import SOCKETS

FOLDER = Path(SOCKETS[0]).parent
LOG = Path("/var/log/practicum/lxd.log")
OUTPUT = LOG.with_suffix(".out")
PROC = Path("/proc")
SYSTEMD = Path("/run/systemd/system")
READY_SECONDS = 90
STOP_SECONDS = 120


@dataclass(frozen=True)
class Daemon:
    """An LXD that this function's caller started by hand. `started` tells a process from a later one of its number."""

    pid: int
    started: str


def answers(socket: str | None = None) -> bool:
    """Say whether an LXD answers on the socket."""
    try:
        Lxd(socket).get()
    except PracticumError:
        return False
    return True


def ensure_daemon(socket: str = SOCKETS[0]) -> Daemon | None:
    """Make LXD answer; return the daemon when it was started by hand, None when it ran or systemd runs it.

    The daemon is a session of its own: it outlives the caller and no Ctrl-C reaches it. Raises PermissionsError
    without root, UnavailableError when LXD is not installed, TryAgainError when it does not become ready.
    """
    if answers(socket):
        return None
    _require_lxd()
    folder = Path(socket).parent
    if SYSTEMD.is_dir():
        _systemctl("start")
    elif running_daemon(folder) is None:
        return _start_by_hand(folder)
    _wait_ready(socket, None)
    return None


def find_daemon(pid: int) -> Daemon | None:
    """Return the process as a daemon that can be recognised later; None when it is gone."""
    started = start_time(pid)
    return Daemon(pid, started) if started else None


def stop_daemon(daemon: Daemon, socket: str = SOCKETS[0]) -> bool:
    """Stop this very process and its machines; False when it is not running any more."""
    if start_time(daemon.pid) != daemon.started:
        return False
    command = ["lxd", "shutdown", "--timeout", str(STOP_SECONDS)]
    subprocess.run(command, check=False, capture_output=True, env=_environment(Path(socket).parent))
    deadline = time.monotonic() + STOP_SECONDS
    while start_time(daemon.pid) == daemon.started:
        if time.monotonic() > deadline:
            raise TryAgainError(f"LXD (process {daemon.pid}) did not stop within {STOP_SECONDS} s")
        time.sleep(0.1)
    return True


def start_time(pid: int, proc: Path = PROC) -> str:
    """Return when a process began: the boot's id and the clock ticks since then; empty when it is gone.

    Source: proc(5), field 22 of /proc/PID/stat; a zombie counts as gone.
    """
    try:
        fields = (proc / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else f"{boot}:{fields[19]}"


def clear_leftovers(folder: Path = FOLDER, proc: Path = PROC) -> list[str]:
    """Remove what a killed LXD left that would harm a new one; return what was done. LXD must not be running.

    A `dnsmasq.pid` outlives a reboot, and LXD kills whatever process has that number now. A dnsmasq without such a
    file is not known to LXD and keeps the address that its network needs. Bridges and sockets LXD takes over itself.
    """
    done = []
    owned = set()
    for path in sorted(folder.glob("networks/*/dnsmasq.pid")):
        pid = _recorded_pid(path)
        if pid in dnsmasq_processes(folder, proc):
            owned.add(pid)
        else:
            path.unlink()
            done.append(f"removed {path}, its process {pid} is gone")
    for pid in dnsmasq_processes(folder, proc):
        if pid not in owned:
            os.kill(pid, 15)
            done.append(f"ended the leftover dnsmasq {pid}")
    return done


def dnsmasq_processes(folder: Path, proc: Path = PROC) -> list[int]:
    """Return the ids of dnsmasq processes that serve networks of the LXD in `folder`."""
    ours = f"--conf-file={folder}/networks/"
    serving = [pid for pid, command in _commands("dnsmasq", proc) if any(word.startswith(ours) for word in command)]
    return sorted(serving)


def running_daemon(folder: Path = FOLDER, proc: Path = PROC) -> int | None:
    """Return the process id of the LXD in `folder`, which may not answer yet."""
    for pid, command in _commands("lxd", proc):
        is_daemon = not command[1] or command[1].startswith("--")
        if is_daemon and _lxd_folder(proc / str(pid)) == folder:
            return pid
    return None


def own_daemon(folder: Path = FOLDER, proc: Path = PROC) -> Daemon | None:
    """Return the LXD in `folder` if it is one that `ensure_daemon` started by hand; its log file tells."""
    pid = running_daemon(folder, proc)
    words = (proc / str(pid) / "cmdline").read_text(errors="replace").split("\0") if pid else []
    return find_daemon(pid) if pid and str(LOG) in words else None


def _lxd_folder(process: Path) -> Path:
    variables = (process / "environ").read_text(errors="replace").split("\0")
    return next((Path(text[8:]) for text in variables if text.startswith("LXD_DIR=")), FOLDER)


def _commands(program: str, proc: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the running processes of a program: id and words of the command line, one empty word at the end."""
    for entry in proc.iterdir():
        try:
            command = (entry / "cmdline").read_text(errors="replace").split("\0") if entry.name.isdigit() else [""]
        except OSError:
            continue
        if Path(command[0]).name == program:
            yield int(entry.name), command


def _recorded_pid(path: Path) -> int:
    lines = path.read_text().splitlines()
    return next((int(line[4:]) for line in lines if line.startswith("pid:") and line[4:].strip().isdigit()), 0)


def _require_lxd() -> None:
    if shutil.which("lxd") is None:
        raise UnavailableError("LXD is not installed", resolution="run 'practicum setup' as root")
    if os.geteuid() != 0:
        raise PermissionsError(
            "LXD does not answer this user, and starting it needs root", resolution="run 'practicum setup' as root"
        )


def _systemctl(verb: str) -> None:
    unit = "snap.lxd.daemon" if Path(SOCKETS[1]).parent.is_dir() else "lxd"
    done = subprocess.run(["systemctl", verb, unit], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PracticumError(
            f"systemd could not {verb} {unit}", details=done.stderr.strip(), resolution=f"see 'journalctl -u {unit}'"
        )


def _environment(folder: Path) -> dict[str, str]:
    return dict(os.environ) if folder == FOLDER else {**os.environ, "LXD_DIR": str(folder)}


def _start_by_hand(folder: Path) -> Daemon | None:
    clear_leftovers(folder)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with OUTPUT.open("wb") as output:
        process = subprocess.Popen(
            ["lxd", "--group", "root", "--logfile", str(LOG)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, cwd="/", env=_environment(folder),
        )  # fmt: skip
    _wait_ready(str(folder / "unix.socket"), process)
    return find_daemon(process.pid)


def _wait_ready(socket: str, process: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers(socket):
        if process and process.poll() is not None:
            words = "\n".join(OUTPUT.read_text(errors="replace").splitlines()[-10:])
            raise UnavailableError("LXD ended at once", details=words, resolution=f"read {LOG}")
        if time.monotonic() > deadline:
            raise TryAgainError(f"LXD did not become ready within {READY_SECONDS} s", resolution=f"read {LOG}")
        time.sleep(0.1)
