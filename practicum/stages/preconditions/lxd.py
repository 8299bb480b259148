"""LXD: that it answers, is recent, and what it can do here."""

from collections.abc import Iterator

from practicum.stages.preconditions.model import SETUP, Host, HostCheck, advise, judge, note

# What Practicum asks of LXD's API; all of it is in 5.0.
EXTENSIONS = (
    "container_exec_recording", "instance_bulk_state_change", "instance_all_projects", "network_acl",
    "network_bridge_acl", "projects_limits", "projects_restrictions", "storage_api_volume_snapshots",
)  # fmt: skip


def server(host: Host) -> Iterator[HostCheck]:
    """A running LXD that this user may use, 5.0 or later."""
    facts, why = host.facts, "it makes the machines; 5.0 or later"
    if facts.lxd:
        fix = "sudo apt-get install --yes lxd"
        yield judge("LXD", facts.lxd.recent, facts.lxd.version, why, fix)
    elif "may not use" in facts.lxd_error:
        fix = "sudo usermod --append --groups lxd $USER  # then sign in again"
        yield judge("LXD", False, facts.lxd_error, why, fix)
    elif "no answer within" in facts.lxd_error:
        fix = "practicum doctor, in a minute; when it stays so: sudo systemctl restart lxd"
        yield advise("LXD", False, f"{facts.lxd_error}: busy or stuck", why, fix)
    else:
        yield judge("LXD", False, facts.lxd_error, why, SETUP, automatic=True)


def features(host: Host) -> Iterator[HostCheck]:
    """The parts of LXD's API that Practicum uses."""
    if host.facts.lxd:
        absent = [name for name in EXTENSIONS if name not in host.facts.lxd.extensions]
        found = f"missing: {', '.join(absent)}" if absent else "all there"
        why = "access lists on bridges, projects with limits, recorded commands"
        yield judge("LXD's API", not absent, found, why, "sudo apt-get install --yes lxd")


def firewall(host: Host) -> Iterator[HostCheck]:
    """What LXD writes its access lists with."""
    if host.facts.lxd:
        found = host.facts.lxd.firewall or "none"
        why = "the walls between seats; they are proven with nftables"
        fix = "sudo apt-get install --yes nftables, remove rules of iptables-legacy, sudo systemctl restart lxd"
        yield advise("firewall", found == "nftables", found, why, fix)


def foreign(host: Host) -> Iterator[HostCheck]:
    """Instances that no Practicum made."""
    if host.facts.lxd:
        names = host.facts.lxd.foreign
        shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        found = f"{len(names)} not made by Practicum: {shown}" if names else "none but Practicum's"
        yield note("instances", found, "Practicum touches only its own; setup asks before it shares an LXD")


def virtual_machines(host: Host) -> Iterator[HostCheck]:
    """Whether LXD runs virtual machines, and if not, its own reason."""
    if host.facts.lxd:
        able = "qemu" in host.facts.lxd.drivers
        reasons = [*host.facts.lxd.inoperable, *([] if host.places.has("dev/kvm") else ["there is no /dev/kvm"])]
        said = f"; LXD says: {'; '.join(reasons)}" if reasons else ""
        found = "containers and virtual machines" if able else f"containers only{said}"
        why = "only labs with 'kind: vm' need more: qemu-system-x86, ovmf, lxd-agent, the modules kvm and vhost_vsock"
        yield note("kinds", found, why)


def idmapped_mounts(host: Host) -> Iterator[HostCheck]:
    """Whether LXD could shift owners of files while mounting."""
    if host.facts.lxd:
        able = host.facts.lxd.features.get("idmapped_mounts") == "true"
        found = "LXD reports them" if able else "LXD reports none"
        why = "not needed: all machines of a lab share one id map, so their volumes need no 'security.shifted'"
        yield note("idmapped mounts", found, why)
