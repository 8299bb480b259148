"""Whether an LXD runs virtual machines, and its own words when it does not."""

from practicum.lxd.client import Lxd

# LXD looks once, when it starts, and keeps why a kind of machine does not work there (lxd/warnings).
INOPERABLE = "Instance type not operational"


def runs_virtual_machines(lxd: Lxd) -> bool:
    """Say whether LXD's driver of virtual machines works on its host."""
    return "qemu" in lxd.get()["environment"]["driver"]


def inoperable(lxd: Lxd) -> tuple[str, ...]:
    """Return LXD's reasons for kinds of machine that it cannot run."""
    found = lxd.get("warnings", recursion=1)
    reasons = {str(one["last_message"]) for one in found if one["type"] == INOPERABLE and one["status"] != "resolved"}
    return tuple(sorted(reasons))
