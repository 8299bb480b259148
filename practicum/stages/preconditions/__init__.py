"""What a host must have for labs: every check that doctor makes, by group.

A check is a function from a `Host` to one `HostCheck` or several. To add one, write it in the module of its group and
name it here; what is slow to find out belongs to `practicum.stages.host`, where it is asked with a time limit.
"""

from collections.abc import Callable, Iterable, Mapping

from practicum.stages.preconditions import kernel, lxd, network, programs, storage
from practicum.stages.preconditions.model import Host, HostCheck

Check = Callable[[Host], Iterable[HostCheck]]

GROUPS: Mapping[str, tuple[Check, ...]] = {
    "programs": (programs.packages, programs.extras, programs.identity, programs.origin),
    "kernel": (
        kernel.settings, kernel.subordinate_ids, kernel.cgroups, kernel.apparmor, kernel.clock, kernel.memory
    ),
    "LXD": (lxd.server, lxd.features, lxd.firewall, lxd.foreign, lxd.virtual_machines, lxd.idmapped_mounts),
    "storage": (storage.pool, storage.pool_space, storage.disk, storage.folders, storage.ceph),
    "network": (
        network.names, network.resolver, network.clashes, network.docker, network.forwarding, network.bridge_filter
    ),
}  # fmt: skip
# A machine that only speaks to LXD on other hosts needs no more than this.
ELSEWHERE: Mapping[str, tuple[Check, ...]] = {"programs": (programs.extras, programs.identity, programs.origin)}
