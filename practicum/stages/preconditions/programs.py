"""Programs, Python packages and git."""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version

from practicum.stages.preconditions.model import Host, HostCheck, advise, judge, note

EXTRA = re.compile(r"^(?P<package>[A-Za-z0-9._-]+).*; *extra *== *['\"](?P<extra>[a-z0-9]+)['\"]")
NOT_FOR_USERS = ("all", "dev")


def packages(host: Host) -> Iterator[HostCheck]:
    """Debian packages."""
    names = " ".join(host.facts.missing)
    apt = host.facts.apt
    fix = f"sudo apt-get install --yes --no-install-recommends {names}" if apt else f"install {names}"
    why = "LXD, dnsmasq and nftables for networks, and the tools that build images"
    yield judge("packages", not names, f"missing: {names}" if names else "all there", why, fix, automatic=apt)


def extras(_: Host) -> Iterator[HostCheck]:
    """The Python packages of Practicum's own extras."""
    wanted = python_extras()
    absent = sorted(package for package in wanted if not _installed(package))
    found = f"missing: {', '.join(absent)}" if absent else ", ".join(sorted(set(wanted.values())))
    fix = f"pip install 'practicum[{','.join(sorted({wanted[name] for name in absent}))}]'"
    yield judge("Python packages", not absent, found, "the clients of LXD, git and the like", fix)


def python_extras() -> Mapping[str, str]:
    """Return Python package → extra of Practicum that brings it, without those for its developers."""
    found = (EXTRA.match(line) for line in requires("practicum") or [])
    named = {match["package"].lower(): match["extra"] for match in found if match and match["package"] != "practicum"}
    return {package: extra for package, extra in named.items() if extra not in NOT_FOR_USERS}


def identity(host: Host) -> Iterator[HostCheck]:
    """Who the user is for git."""
    if host.origin:
        fix = "git config --global user.name NAME; git config --global user.email NAME@UNIVERSITY"
        why = "your own commits need a name; those of Practicum carry its own"
        yield advise("git identity", bool(host.origin.identity), host.origin.identity or "none", why, fix)


def origin(host: Host) -> Iterator[HostCheck]:
    """Whether the repository's origin answers."""
    if host.origin is None:
        return
    address, error = host.origin.address, host.origin.error
    if address is None:
        yield note("git origin", "none", "without one, this checkout is the only copy of what is intended")
        return
    found = f"{address}: {error.splitlines()[0]}" if error else address
    why = "every verb that changes something fetches from it first and pushes to it"
    yield judge("git origin", not error, found, why, "git ls-remote origin   # says what is wrong")


def _installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False
