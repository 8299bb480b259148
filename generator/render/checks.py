"""Checks as they stand in definitions."""

from typing import Any

from generator.render.routes import meeting_network
from generator.spec.model import Check, Lab

Document = dict[str, Any]


def check_document(lab: Lab, check: Check) -> Document:
    """Return a check with everything that probing needs to know of it.

    Where there are several networks, `network` is the one on which the machine is met from where the check starts.
    """
    return {
        "name": check.name,
        "kind": check.kind,
        "machine": check.machine,
        "from": check.origin,
        **({"network": network} if (network := _network(lab, check)) else {}),
        **{key: check.settings[key] for key in sorted(check.settings)},
        "when": check.when,
        "wait": check.wait,
        "points": check.points,
        "hint": check.hint,
        "hidden": check.hidden,
    }


def _network(lab: Lab, check: Check) -> str | None:
    machines = {machine.name: machine for machine in lab.machines}
    if len(lab.networks) == 1 or check.kind not in ("http", "tcp") or check.machine is None:
        return None
    connected = machines[check.origin].connect if check.origin else lab.networks[:1]
    return meeting_network(lab, connected, machines[check.machine])
