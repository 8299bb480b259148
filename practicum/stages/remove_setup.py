"""Undoing setup: what it recorded and nothing else, keeping what is still in use."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from practicum.files import write_atomically
from practicum.lxd.client import Lxd
from practicum.lxd.daemon import answers, own_daemon, stop_daemon
from practicum.lxd.inventory import MARKER
from practicum.stages.host import SYSCTLS, list_instances, read_sysctl, require_root, write_sysctl
from practicum.stages.host_record import HostRecord, SetupOptions, load_record, save_record


@dataclass(frozen=True)
class Left:
    """Something that setup made and that was not removed, with the reason."""

    what: str
    why: str


def remove_setup(options: SetupOptions) -> list[Left]:
    """Undo what setup recorded on this host; return what is left. Needs root; may be repeated.

    A pool that holds anything stays, and with it all that its machines need.
    """
    require_root("undoing the setup of this host")
    if not options.places.record.exists():
        return []
    record = load_record(options.places)
    left = _remove_pools(record, options)
    if record.pools:
        left.append(Left("LXD and kernel settings", "the pool still needs them"))
        return left
    left += [*_stop_own_daemon(record, options), *_restore_sysctls(record, options)]
    _remove_ranges(record)
    left += [Left(f"package {name}", f"apt-get remove {name}") for name in record.packages]
    options.places.record.unlink(missing_ok=True)
    with suppress(OSError):
        options.places.record.parent.rmdir()
    return left


def _remove_pools(record: HostRecord, options: SetupOptions) -> list[Left]:
    if record.pools and not answers(options.socket):
        return [Left(f"pool {name}", "LXD does not answer") for name in record.pools]
    left = [_remove_pool(name, record, Lxd(options.socket)) for name in record.pools]
    record.pools = [name for name, reason in zip(record.pools, left, strict=True) if reason]
    save_record(record, options.places)
    return [reason for reason in left if reason]


def _remove_pool(name: str, record: HostRecord, lxd: Lxd) -> Left | None:
    pool = lxd.find("storage-pools", name)
    if pool is None or pool["config"].get(MARKER) != f"setup/{record.id}":
        return None
    if pool["used_by"]:
        return Left(f"pool {name}", f"it is used by {', '.join(pool['used_by'][:5])}")
    lxd.delete("storage-pools", name)
    return None


def _stop_own_daemon(record: HostRecord, options: SetupOptions) -> list[Left]:
    daemon = own_daemon(Path(options.socket).parent) if record.daemon else None
    if daemon is None:
        return []
    instances = list_instances(Lxd(options.socket))
    if instances:
        return [Left("the LXD daemon", f"it holds {len(instances)} instances")]
    stop_daemon(daemon, options.socket)
    return []


def _restore_sysctls(record: HostRecord, options: SetupOptions) -> list[Left]:
    left = []
    for name, earlier in record.sysctls.items():
        now = read_sysctl(name, options.places.kernel)
        if now == SYSCTLS[name]:
            write_sysctl(options.places.kernel / name.replace(".", "/"), name, earlier)
        elif now != earlier:
            left.append(Left(name, f"it is {now} now, which setup did not write"))
    if record.sysctls:
        options.places.sysctl_file.unlink(missing_ok=True)
    return left


def _remove_ranges(record: HostRecord) -> None:
    for name, line in record.ranges.items():
        path = Path(name)
        lines = path.read_text().splitlines() if path.exists() else []
        if line in lines:
            write_atomically(path, "".join(f"{other}\n" for other in lines if other != line))
