"""Storage: the pool, the disk below it, and what platform files name besides."""

from collections.abc import Iterator
from pathlib import Path

from generator.spec.units import format_size
from practicum.stages.host import GIB
from practicum.stages.preconditions.model import SETUP, Host, HostCheck, advise, judge

FREE_SPACE = "practicum destroy LAB --env …, for labs that have ended"
NEARLY_FULL = 0.8
LEAST_DISK = 2 * GIB
SLOW = ("dir",)
CEPH = ("ceph", "cephfs")


def pool(host: Host) -> Iterator[HostCheck]:
    """The pools that platform files name: there, well, and quick."""
    lxd = host.facts.lxd
    if lxd is None:
        return
    for name in sorted({host.facts.pool, *_pools(host)}):
        yield _pool(name, lxd.pools.get(name), lxd.storage_drivers, name == host.facts.pool)
    if lxd.pool_status != "Created":
        found, why = f"LXD says: {lxd.pool_status}", "machines cannot start from a pool that is not well"
        yield judge("pool health", False, found, why, f"lxc storage show {host.facts.pool}; sudo systemctl restart lxd")


def _pool(name: str, driver: str | None, drivers: tuple[str, ...], default: bool) -> HostCheck:
    why = "machines and volumes; with btrfs or zfs a clone takes a moment"
    if driver in SLOW:
        fix = "practicum setup --pool NAME, then 'storage: {local: NAME}' in both platform.yaml files"
        return advise(f"pool {name}", False, f"{driver}: every machine is copied in full, which is slow", why, fix)
    if driver is None and "btrfs" not in drivers:
        fix = "sudo modprobe btrfs && sudo systemctl restart lxd"
        return judge(f"pool {name}", False, "LXD knows no btrfs", why, fix)
    fix = SETUP if default else f"{SETUP} --pool {name}"
    return judge(f"pool {name}", driver is not None, driver or "not there", why, fix, automatic=default)


def pool_space(host: Host) -> Iterator[HostCheck]:
    """Free space of the pool beside the reserve below which nothing new is made."""
    lxd = host.facts.lxd
    if lxd is None or not host.facts.has_pool:
        return
    reserve = max(platform.capacity.reserve for platform in host.platforms.values())
    found = f"{lxd.free / GIB:.1f} GiB free" + (f" of {lxd.total / GIB:.1f}" if lxd.total > 0 else "")
    why = f"below the reserve of {format_size(reserve)} nothing new is made: a full pool stops everyone"
    if lxd.free < reserve:
        yield judge("pool space", False, found, why, FREE_SPACE)
    else:
        full = lxd.total > 0 and lxd.free < (1 - NEARLY_FULL) * lxd.total
        yield advise("pool space", not full, found + (", nearly full" if full else ""), why, FREE_SPACE)


def disk(host: Host) -> Iterator[HostCheck]:
    """The disk that LXD lies on, and under it the file of its pool."""
    free, lxd = host.facts.disk_free, host.facts.lxd
    found, why = f"{free / GIB:.1f} GiB free", "LXD's database and images, and the file that a pool grows in"
    promised = lxd.free if lxd and lxd.loop else 0
    fix = f"free some space below {Path(host.facts.socket).parent}"
    if free < LEAST_DISK:
        yield judge("disk", False, found, why, fix)
    else:
        short = free < promised
        told = f", and the pool's file may grow by {promised / GIB:.1f}" if short else ""
        yield advise("disk", not short, found + told, why, fix)


def folders(host: Host) -> Iterator[HostCheck]:
    """Shared folders of the host that platform files name, such as NFS mounts."""
    for name, path in sorted(_storage(host)):
        if path.startswith("/"):
            mounted = path.rstrip("/") in _mounts(host)
            there = host.places.has(path.lstrip("/"))
            found = path if mounted else f"{path} is {'there, and nothing is mounted on it' if there else 'not there'}"
            fix = f"sudo apt-get install --yes nfs-common; a line for {path} in /etc/fstab; sudo mount {path}"
            yield judge(f"storage {name}", mounted, found, "volumes of this storage lie there on every host", fix)


def ceph(host: Host) -> Iterator[HostCheck]:
    """What a Ceph pool needs on a host, when a platform file names one."""
    drivers = host.facts.lxd.pools if host.facts.lxd else {}
    if not any(name in CEPH or drivers.get(pool) in CEPH for name, pool in _storage(host)):
        return
    needs = {
        "ceph-common": host.places.has("usr/bin/ceph") and host.places.has("usr/bin/rbd"),
        "/etc/ceph/ceph.conf": host.places.has("etc/ceph/ceph.conf"),
        "the kernel's rbd or ceph module": any(_module(host, name) for name in ("rbd", "ceph")),
    }
    absent = [name for name, present in needs.items() if not present]
    fix = "sudo apt-get install --yes ceph-common; copy ceph.conf and a keyring to /etc/ceph; sudo modprobe rbd ceph"
    found = f"missing: {', '.join(absent)}" if absent else "all there"
    yield judge("Ceph", not absent, found, "the pool of a platform file is a Ceph pool", fix)


def _storage(host: Host) -> set[tuple[str, str]]:
    return {entry for platform in host.platforms.values() for entry in platform.storage.items()}


def _pools(host: Host) -> set[str]:
    return {pool for _name, pool in _storage(host) if not pool.startswith("/")}


def _mounts(host: Host) -> set[str]:
    return {line.split()[1] for line in (host.places.read("proc/mounts") or "").splitlines()}


def _module(host: Host, name: str) -> bool:
    builtin = host.places.read("proc/filesystems") or ""
    return host.places.has(f"sys/module/{name}") or name in builtin.split()
