"""From the bytes of a platform file to a platform or a list of problems."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations
from types import MappingProxyType
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.diagnostics.secrets import holds_password
from generator.spec.document import Document
from generator.spec.load_document import load_document, ordered
from generator.spec.platform import (
    DEFAULT_ADDRESSES,
    DEFAULT_POOL,
    DEFAULT_SOCKET,
    ENVIRONMENTS,
    Capacity,
    Platform,
    default_platform,
)
from generator.spec.sources import Sources
from generator.spec.units import parse_size

__all__ = ["LoadedPlatform", "LoadedPlatforms", "load_platform", "load_platforms"]

_SMALLEST_BLOCK = 20


@dataclass(frozen=True)
class LoadedPlatform:
    """A platform, or None when `diagnostics` has an error. `document` remembers where its values stand."""

    environment: str
    platform: Platform | None
    diagnostics: tuple[Diagnostic, ...]
    document: Document | None = None


@dataclass(frozen=True)
class LoadedPlatforms:
    """The platform of every environment; the default stands in for one whose file is missing or bad."""

    platforms: Mapping[str, Platform]
    diagnostics: tuple[Diagnostic, ...]


def load_platform(data: bytes, file: str, environment: str) -> LoadedPlatform:
    """Load a platform file; `environment` gives the address block when the file names none."""
    loaded = load_document(data, file, "platform")
    if loaded.document is None or loaded.schema is None or not isinstance(loaded.schema.data, dict):
        return LoadedPlatform(environment, None, ordered(loaded.diagnostics), loaded.document)
    content, document = loaded.schema.data, loaded.document
    told = {problem.path for problem in loaded.diagnostics}
    found = (
        *_addresses(document, content),
        *_endpoint(document, content),
        *_backup(document, content),
        *_secrets(document, content),
    )
    problems = ordered((*loaded.diagnostics, *(problem for problem in found if problem.path not in told)))
    failed = any(problem.severity == "error" for problem in problems)
    platform = None if failed else _build(content, environment)
    return LoadedPlatform(environment, platform, problems, document)


def _addresses(document: Document, content: Mapping[str, Any]) -> Iterator[Diagnostic]:
    text = content.get("addresses")
    if text is None:
        return
    message = ""
    try:
        block = IPv4Network(text)
    except ValueError:
        message = f"'{text}' is not a block of IPv4 addresses{_nearest_block(text)}"
    else:
        if not block.is_private or block.is_link_local or block.is_loopback:
            message = f"'{text}' is not private"
        elif block.prefixlen > _SMALLEST_BLOCK:
            message = f"'{text}' is too small: every lab takes at least one block of /{_SMALLEST_BLOCK}"
    if message:
        yield document.problem("PRA090", message, ("addresses",))


def _nearest_block(text: str) -> str:
    try:
        return f"; did you mean '{IPv4Network(text, strict=False)}'?"
    except ValueError:
        return ""


def _endpoint(document: Document, content: Mapping[str, Any]) -> Iterator[Diagnostic]:
    lxd = content.get("lxd") or {}
    if "socket" in lxd and "url" in lxd:
        yield document.problem("PRA091", "LXD has both 'socket' and 'url'", ("lxd", "url"), on_key=True)
        return
    missing = [f"'{key}'" for key in ("certificate", "key") if "url" in lxd and key not in lxd]
    if missing:
        message = f"an LXD 'url' needs {' and '.join(missing)} too"
        yield document.problem("PRA091", message, ("lxd", "url"), on_key=True)


def _backup(document: Document, content: Mapping[str, Any]) -> Iterator[Diagnostic]:
    backup = content.get("backup")
    if backup is None:
        return
    places = [key for key in ("target", "pool") if key in backup]
    if len(places) != 1:
        message = f"backups have {'both' if places else 'neither'} 'target' {'and' if places else 'nor'} 'pool'"
        yield document.problem("PRA096", message, ("backup",), on_key=True)
    elif backup.get("pool") in {"local": DEFAULT_POOL, **(content.get("storage") or {})}.values():
        message = f"backups would stand in the pool '{backup['pool']}', beside the volumes"
        yield document.problem("PRA096", message, ("backup", "pool"))


def _secrets(document: Document, content: Mapping[str, Any]) -> Iterator[Diagnostic]:
    remote = (content.get("git") or {}).get("remote") or ""
    if holds_password(remote):
        yield document.problem("PRA093", "the git remote holds a password or token", ("git", "remote"))


def _build(content: Mapping[str, Any], environment: str) -> Platform:
    lxd = content.get("lxd", {})
    fallback = default_platform(environment) if environment in DEFAULT_ADDRESSES else default_platform("dev")
    return Platform(
        environment=environment,
        addresses=IPv4Network(content["addresses"]) if "addresses" in content else fallback.addresses,
        installation=content.get("installation", fallback.installation),
        socket=None if "url" in lxd else lxd.get("socket", DEFAULT_SOCKET),
        url=lxd.get("url"),
        storage={**fallback.storage, **_storage(content.get("storage", {}))},
        capacity=_capacity(content.get("capacity", {})),
        professor_internet=content.get("professor_internet", "full"),
        mirror=content.get("mirror"),
        data_folder=content.get("data_folder"),
        vms=content.get("vms"),
        secret_key=content.get("secret_key", fallback.secret_key),
        settings=content,
    )


def _storage(entries: Mapping[str, Any]) -> Mapping[str, str]:
    """Return pool names, and for shared folders their path: it begins with `/`, which no pool name does."""
    pools = {name: entry if isinstance(entry, str) else entry["host_path"] for name, entry in entries.items()}
    return MappingProxyType(pools)


def _capacity(entries: Mapping[str, Any]) -> Capacity:
    sizes = {key: parse_size(entries[key]) for key in ("memory", "pool", "reserve") if key in entries}
    return Capacity(**{**entries, **sizes})


def load_platforms(sources: Sources) -> LoadedPlatforms:
    """Load the platform files of all environments, and tell where they contradict each other."""
    loaded = [_load_or_default(sources, environment) for environment in ENVIRONMENTS]
    found = [problem for item in loaded for problem in item.diagnostics]
    platforms = {item.environment: item.platform or default_platform(item.environment) for item in loaded}
    return LoadedPlatforms(platforms, ordered((*found, *_overlaps(loaded))))


def _load_or_default(sources: Sources, environment: str) -> LoadedPlatform:
    path = f"environments/{environment}/platform.yaml"
    if sources.status(path) != "file":
        return LoadedPlatform(environment, default_platform(environment), ())
    return load_platform(sources.read(path), path, environment)


def _overlaps(loaded: Sequence[LoadedPlatform]) -> Iterator[Diagnostic]:
    """Tell environments on one LXD endpoint whose address blocks overlap, in the last file that there is."""
    for first, second in combinations([item for item in loaded if item.platform], 2):
        told, other = (second, first) if second.document else (first, second)
        one, two = told.platform, other.platform
        if one is None or two is None or told.document is None or (one.socket, one.url) != (two.socket, two.url):
            continue
        if one.addresses.overlaps(two.addresses):
            message = f"the addresses {one.addresses} overlap those of {other.environment}, {two.addresses}"
            yield told.document.problem("PRA092", message, ("addresses",))
