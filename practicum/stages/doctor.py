"""Whether this host can carry labs: all checks of `preconditions`, in less than two seconds and without effects."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from generator.spec.platform import DEFAULT_POOL, ENVIRONMENTS, Platform, default_platform
from practicum.errors import UsageError
from practicum.git.repository import Repository
from practicum.stages.host import Question, observe_host
from practicum.stages.host_record import Places
from practicum.stages.preconditions import ELSEWHERE, GROUPS, Check
from practicum.stages.preconditions.model import Host, HostCheck, Origin
from practicum.stages.preconditions.remote import remote
from practicum.stages.workspace import endpoint_of, platforms_of

__all__ = ["HostCheck", "check_host", "doctor", "pool_of"]

# An LXD that starts a class answers late; that is said then, and not waited for.
PATIENCE = 1.2


def doctor(
    socket: str | None = None,
    pool: str | None = None,
    folder: Path | None = None,
    places: Places | None = None,
    patience: float = PATIENCE,
) -> list[HostCheck]:
    """Check this host; no effects, no root needed, less than two seconds.

    In a GitOps repository (`folder` is in it) its platform files say which LXD, pool, mirror, addresses and storage
    are meant, and its origin is asked too. LXD and origin have `patience` seconds to answer.
    Raises InvalidInput when a platform file has errors.
    """
    repository = _repository(folder)
    platforms = _platforms(repository)
    dev = platforms["dev"]
    origin = Question(lambda: _origin(repository)) if repository else None
    pool = pool or dev.storage.get("local", DEFAULT_POOL)
    here = {name: one for name, one in platforms.items() if socket or not one.url}
    path = socket or next((one.socket for one in here.values()), None)
    facts = observe_host(path, pool, dev.mirror, places, patience)
    host = Host(facts, places or Places(), here, _answered(origin, repository, patience))
    checks = check_host(host, GROUPS if here else ELSEWHERE)
    if repository:
        away = [one for name, one in platforms.items() if name not in here]
        far = [check for one in away for check in remote(endpoint_of(repository.root, one), one, patience)]
        checks += [replace(check, group="LXD over the network") for check in far]
    return [replace(check, fix=check.fix.replace("sudo ", "")) for check in checks] if facts.root else checks


def check_host(host: Host, groups: Mapping[str, tuple[Check, ...]] = GROUPS) -> list[HostCheck]:
    """Judge what was seen of a host, group by group."""
    return [replace(one, group=group) for group, checks in groups.items() for check in checks for one in check(host)]


def pool_of(folder: Path) -> str:
    """Return the pool that the repository around a folder keeps machines in; the default one outside of any."""
    return _platforms(_repository(folder))["dev"].storage.get("local", DEFAULT_POOL)


def _platforms(repository: Repository | None) -> Mapping[str, Platform]:
    if repository is None:
        return {name: default_platform(name) for name in ENVIRONMENTS}
    return platforms_of(repository.sources(None))


def _repository(folder: Path | None) -> Repository | None:
    try:
        return Repository.open(folder) if folder else None
    except UsageError:
        return None


def _origin(repository: Repository) -> str:
    repository.ask_origin()
    return ""


def _answered(question: Question[str] | None, repository: Repository | None, patience: float) -> Origin | None:
    if question is None or repository is None:
        return None
    _, error = question.answer(patience)
    return Origin(repository.origin, error, repository.identity)
