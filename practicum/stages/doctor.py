"""Whether this host can carry labs: each check with what was found, what is needed and the command that repairs it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from generator.spec.platform import DEFAULT_POOL
from practicum.stages.host import GIB, SUBORDINATE_IDS, SYSCTLS, HostFacts, LxdFacts, observe_host

SETUP = "sudo practicum setup"
LEAST_POOL_FREE = 2 * GIB


@dataclass(frozen=True)
class HostCheck:
    """One property of the host. `fix` is a command, empty when `ok`; `automatic` says that setup does it."""

    name: str
    ok: bool
    found: str
    needed: str
    fix: str = ""
    automatic: bool = False


def doctor(socket: str | None = None, pool: str = DEFAULT_POOL, mirror: str | None = None) -> list[HostCheck]:
    """Check this host; no effects, no root needed, less than two seconds."""
    facts = observe_host(socket, pool, mirror)
    checks = check_host(facts)
    return [replace(check, fix=check.fix.replace("sudo ", "")) for check in checks] if facts.root else checks


def check_host(facts: HostFacts) -> list[HostCheck]:
    """Judge what was seen of a host."""
    checks = [_packages(facts), *_sysctls(facts), *_subordinate_ids(facts), _lxd(facts)]
    if facts.lxd:
        checks += [check(facts, facts.lxd) for check in LXD_CHECKS]
    return [*checks, _dns(facts), *_notes(facts)]


def _check(name: str, ok: bool, found: str, needed: str, fix: str, automatic: bool = True) -> HostCheck:
    return HostCheck(name, ok, found, needed, "" if ok else fix, automatic and not ok)


def _packages(facts: HostFacts) -> HostCheck:
    names = " ".join(facts.missing)
    fix = f"sudo apt-get install --yes --no-install-recommends {names}" if facts.apt else f"install {names}"
    found = f"missing: {names}" if names else "all there"
    return _check("packages", not names, found, "LXD and the tools that build images", fix, facts.apt)


def _sysctls(facts: HostFacts) -> list[HostCheck]:
    return [_sysctl(name, facts.sysctls.get(name), least) for name, least in SYSCTLS.items()]


def _sysctl(name: str, value: int | None, least: int) -> HostCheck:
    if value is None:
        return HostCheck(name, True, "this kernel has no such setting", f"at least {least}")
    return _check(name, value >= least, str(value), f"at least {least}", f"sudo sysctl -w {name}={least}")


def _subordinate_ids(facts: HostFacts) -> list[HostCheck]:
    ranges = {"subuid": facts.subuid, "subgid": facts.subgid}
    needed = f"a range of {SUBORDINATE_IDS} ids or more for root"
    return [
        _check(name, size >= SUBORDINATE_IDS, f"{size} ids", needed, SETUP) for name, size in ranges.items()
    ]  # fmt: skip


def _lxd(facts: HostFacts) -> HostCheck:
    if facts.lxd:
        return _check(
            "LXD",
            facts.lxd.recent,
            facts.lxd.version,
            "5.0 or later",
            "sudo apt-get install --yes lxd",
            automatic=False,
        )
    if "may not use" in facts.lxd_error:
        fix = "sudo usermod --append --groups lxd $USER  # then sign in again"
        return _check("LXD", False, facts.lxd_error, "a running LXD", fix, automatic=False)
    return _check("LXD", False, facts.lxd_error, "a running LXD", SETUP)


def _pool(facts: HostFacts, lxd: LxdFacts) -> HostCheck:
    found = lxd.pools.get(facts.pool)
    name = f"pool {facts.pool}"
    if found is None and "btrfs" not in lxd.storage_drivers:
        fix = "sudo modprobe btrfs && sudo systemctl restart lxd"
        return _check(name, False, "LXD knows no btrfs", "the kernel's btrfs", fix, automatic=False)
    return _check(name, found is not None, found or "not there", "a pool for machines and volumes", SETUP)


def _pool_space(facts: HostFacts, lxd: LxdFacts) -> HostCheck:
    ok = facts.pool not in lxd.pools or lxd.free >= LEAST_POOL_FREE
    found = f"{lxd.free / GIB:.1f} GiB free" if lxd.free >= 0 else "no pool yet"
    return _check(
        "pool space",
        ok,
        found,
        f"{LEAST_POOL_FREE // GIB} GiB free",
        "practicum destroy LAB --env …, for labs that have ended",
        automatic=False,
    )


def _foreign(_: HostFacts, lxd: LxdFacts) -> HostCheck:
    shown = ", ".join(lxd.foreign[:5]) + (" …" if len(lxd.foreign) > 5 else "")
    found = f"{len(lxd.foreign)} of others: {shown}" if lxd.foreign else "none of others"
    return HostCheck("instances", True, found, "Practicum touches only its own; setup asks before it shares an LXD")


def _virtual_machines(_: HostFacts, lxd: LxdFacts) -> HostCheck:
    found = "containers and VMs" if "qemu" in lxd.drivers else "containers only"
    return HostCheck(
        "kinds", True, found, "LXD's qemu driver for machines of kind vm (qemu-system-x86, ovmf, vhost_vsock)"
    )


LXD_CHECKS: tuple[Callable[[HostFacts, LxdFacts], HostCheck], ...] = (_pool, _pool_space, _foreign, _virtual_machines)


def _dns(facts: HostFacts) -> HostCheck:
    found = "names are resolved" if facts.resolves else "no answer"
    fix = "check the nameserver lines of /etc/resolv.conf"
    return _check("DNS", facts.resolves, found, "for images and for labs with internet", fix, automatic=False)


def _notes(facts: HostFacts) -> list[HostCheck]:
    """What is good to know and never wrong: LXD switches forwarding on itself, and labs work either way."""
    forward = {None: "unknown", 0: "off", 1: "on"}.get(facts.forward, "on")
    filtered = {None: "not loaded", 0: "loaded, off", 1: "on"}.get(facts.bridge_filter, "on")
    return [
        HostCheck("IPv4 forwarding", True, forward, "LXD switches it on with the first network"),
        HostCheck("br_netfilter", True, filtered, "either: traffic inside a network is allowed by its rules"),
    ]
