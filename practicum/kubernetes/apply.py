"""Put copies onto a cluster: applied server-side a seat at a time, and what is ours and gone from git pruned.

Nothing here depends on the last run: what is there is read, what shall be is applied, and the server says what changed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from practicum.errors import PracticumError
from practicum.kubernetes.client import Cluster
from practicum.kubernetes.copies import Copy
from practicum.kubernetes.errors import ClusterConflict
from practicum.kubernetes.objects import Ref, rank
from practicum.kubernetes.observe import NAMESPACE, Observed
from practicum.parallel import in_parallel

__all__ = ["Applied", "apply_copies", "changed_by_hand"]

Document = dict[str, Any]
_SEATS_AT_ONCE = 8
# Who writes for us when Argo CD delivers: what it wrote is no hand's work.
_DELIVERERS = ('conflict with "argocd-controller"',)


@dataclass(frozen=True)
class Applied:
    """What was done to a seat's copy: how many objects were created, changed and removed.

    `kept` are changes by hand that stayed, in words; `is_new`: the seat had no namespace.
    `error` ended the work on this seat, at the object `doing`.
    """

    seat: str
    created: int = 0
    changed: int = 0
    removed: int = 0
    kept: tuple[str, ...] = ()
    is_new: bool = False
    error: PracticumError | None = None
    doing: str = ""

    @property
    def changes(self) -> int:
        """How many objects are other than before."""
        return self.created + self.changed + self.removed


def apply_copies(
    cluster: Cluster, observed: Observed, copies: Sequence[Copy], *, overwrite: bool, only_own: bool = False
) -> list[Applied]:
    """Apply copies and prune them; a seat that fails stops no other.

    An object that somebody changed by hand stays as it is, unless `overwrite`. With `only_own` somebody else applies
    the copies: only namespaces and Secrets are, and what Practicum applied once, so that it holds on to nothing that
    git has no more.
    """
    return in_parallel(partial(_apply_copy, cluster, observed, overwrite, only_own), copies, _SEATS_AT_ONCE)


def changed_by_hand(cluster: Cluster, observed: Observed, copies: Sequence[Copy]) -> dict[str, list[str]]:
    """Return by seat, in words, what applying copies would take back of what others did; without any effect.

    Only objects that somebody else wrote to are tried: the server compares them with what git wants.
    """
    tried = [
        (copy.seat, document) for copy in copies for document in copy.everything if observed.shared(Ref.of(document))
    ]
    words = in_parallel(lambda one: _conflict(cluster, one[1]), tried, _SEATS_AT_ONCE)
    found: dict[str, list[str]] = {}
    for (seat, _), text in zip(tried, words, strict=True):
        if text:
            found.setdefault(seat, []).append(text)
    return found


def _conflict(cluster: Cluster, document: Document) -> str:
    try:
        cluster.apply(document, dry_run=True)
    except ClusterConflict as conflict:
        return "" if _is_deliverers(conflict) else _words(Ref.of(document), conflict)
    except PracticumError:
        # Whatever else is wrong is told when it is applied.
        return ""
    return ""


def _apply_copy(cluster: Cluster, observed: Observed, overwrite: bool, only_own: bool, copy: Copy) -> Applied:
    done: Counter[str] = Counter()
    kept: list[str] = []
    doing, failure = "", None
    try:
        for document in sorted(_own(copy, observed) if only_own else copy.everything, key=_rank):
            ref = Ref.of(document)
            doing = ref.words
            done[_put(cluster, observed, document, overwrite, kept)] += 1
        doing = "pruning"
        done["removed"] = _prune(cluster, observed, copy)
    except PracticumError as error:
        failure = error
    counts = (done["created"], done["changed"], done["removed"])
    is_new = copy.seat not in observed.namespaces
    return Applied(copy.seat, *counts, tuple(kept), is_new, failure, doing if failure else "")


def _own(copy: Copy, observed: Observed) -> list[Document]:
    rest = [document for document in copy.objects[1:] if observed.applied(Ref.of(document))]
    return [copy.objects[0], *copy.secrets, *rest]


def _rank(document: Document) -> int:
    return rank(document["kind"])


def _put(cluster: Cluster, observed: Observed, document: Document, overwrite: bool, kept: list[str]) -> str:
    """Apply an object and return what became of it; what stays for a hand's sake is `kept`."""
    try:
        return observed.became(_apply(cluster, document, overwrite))
    except ClusterConflict as conflict:
        kept.append(_words(Ref.of(document), conflict))
        return "kept"


def _apply(cluster: Cluster, document: Document, overwrite: bool) -> Document:
    try:
        return cluster.apply(document, force=overwrite)
    except ClusterConflict as conflict:
        if not _is_deliverers(conflict):
            raise
        return cluster.apply(document, force=True)


def _is_deliverers(conflict: ClusterConflict) -> bool:
    return bool(conflict.causes) and all(any(who in cause for who in _DELIVERERS) for cause in conflict.causes)


def _words(ref: Ref, conflict: ClusterConflict) -> str:
    causes = [cause for cause in conflict.causes if not any(who in cause for who in _DELIVERERS)]
    return f"{ref.words}: {'; '.join(causes) or conflict.details}"


def _prune(cluster: Cluster, observed: Observed, copy: Copy) -> int:
    """Remove what Practicum applied in a seat's namespace and git has no more; the namespace itself never."""
    wanted = {Ref.of(document).key for document in copy.everything}
    obsolete = [
        ref
        for key, document in observed.objects.items()
        if key not in wanted
        and key[1] != NAMESPACE[1]
        and key[2] == copy.namespace
        and observed.removable(ref := Ref.of(document))
    ]
    for ref in obsolete:
        cluster.delete(ref)
    return len(obsolete)
