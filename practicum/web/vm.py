"""Whether the button "Create VM" can do anything on this host."""

from practicum.errors import PracticumError
from practicum.lxd.vm_support import inoperable, runs_virtual_machines
from practicum.stages.workspace import Workspace, platforms_of
from practicum.web.messages import say

__all__ = ["why_no_virtual_machines"]


def why_no_virtual_machines(workspace: Workspace) -> str:
    """Return why no virtual machine can be created here, in LXD's own words; empty when one can."""
    try:
        lxd = workspace.lxd(platforms_of(workspace.repository.sources(None))["dev"])
        if runs_virtual_machines(lxd):
            return ""
        return say("start.no_vm", why="; ".join(inoperable(lxd)) or say("start.no_vm_reason"))
    except PracticumError as error:
        return f"{error.message}; {error.resolution}"
