"""Remove copies from a cluster and wait until they are gone."""

import time
from collections.abc import Sequence

from practicum.errors import PracticumError
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.objects import Ref
from practicum.kubernetes.observe import NAMESPACE
from practicum.parallel import in_parallel

__all__ = ["remove_namespaces"]

_DEADLINE_SECONDS = 300.0
_PAUSE_SECONDS = 0.3
_AT_ONCE = 8


def remove_namespaces(cluster: Cluster, names: Sequence[str], seconds: float = _DEADLINE_SECONDS) -> None:
    """Delete namespaces with all that is in them; returns when they are gone. Raises PracticumError at the deadline."""
    refs = [Ref(*NAMESPACE, "", name) for name in names]
    in_parallel(cluster.delete, refs, _AT_ONCE)
    deadline = time.monotonic() + seconds
    while refs := [ref for ref in refs if cluster.find(ref) is not None]:
        if time.monotonic() > deadline:
            kept = ", ".join(ref.name for ref in refs[:3]) + (" …" if len(refs) > 3 else "")
            raise PracticumError(
                f"{len(refs)} namespaces are still on cluster '{cluster.name}': {kept}",
                details=_what_keeps(cluster, refs[0]),
                resolution="something in them does not go; run the same command again when it has gone",
            )
        time.sleep(_PAUSE_SECONDS)


def _what_keeps(cluster: Cluster, ref: Ref) -> str:
    """Return the namespace's own words on why it is still there."""
    conditions = ((cluster.find(ref) or {}).get("status") or {}).get("conditions") or ()
    return "\n".join(
        f"{one.get('reason', '')}: {one.get('message', '')}" for one in conditions if one["status"] == "True"
    )
