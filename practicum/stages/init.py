"""Make a fresh GitOps repository for a university."""

import secrets
from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path

from generator.diagnostics.codes import render_reference
from generator.new_lab import example_files
from generator.render.yaml_text import dump
from generator.schema_files import read_schema_text
from generator.spec.platform import DEFAULT_POOL, ENVIRONMENTS
from generator.spec.reference import PAGES, render_spec_reference
from practicum.errors import UnavailableError
from practicum.files import write_atomically
from practicum.git.repository import Repository
from practicum.git.template import repository_files
from practicum.lxd.client import Lxd

INSTALLATION_LENGTH = 8
SECRET_BYTES = 32
# What people edit, and with it their editors; the reference pages of these come along.
_SCHEMAS = ("lab", "platform")
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
# Pairs of /13 for dev and prod; a second installation on the same host gets the next pair.
AREAS = (IPv4Network("10.64.0.0/10"), IPv4Network("10.128.0.0/9"))


def init(folder: Path, remote: Path | None = None) -> Repository:
    """Make a repository at `folder` with a bare `origin` (default: FOLDER.git beside it) and a key for secrets.

    Run again on the same folder it returns what is there. Raises UsageError for a folder with other content.
    """
    remote = remote or folder.with_name(folder.name + ".git")
    schemas = {name: read_schema_text(name).encode() for name in (f"{schema}.schema.json" for schema in _SCHEMAS)}
    content = repository_files(folder.absolute().name, new_platform_files(), schemas) | _reference_pages() | _examples()
    repository = Repository.create(folder, content, remote, "Start the repository", exist_ok=True)
    _write_key(repository.root / ".practicum" / "secret.key")
    return repository


def new_platform_files() -> dict[str, bytes]:
    """Return both platform files with a new installation id and addresses that are free on this host."""
    return platform_files(_used_networks())


def platform_files(used: Iterable[IPv4Network]) -> dict[str, bytes]:
    """Return both platform files with a new installation id and addresses that nothing on this host uses."""
    installation = "".join(secrets.choice(ALPHABET) for _ in range(INSTALLATION_LENGTH))
    dev, prod = _free_pair(list(used))
    addresses = dict(zip(ENVIRONMENTS, (dev, prod), strict=True))
    return {
        f"environments/{environment}/platform.yaml": _platform_text(environment, installation, addresses[environment])
        for environment in ENVIRONMENTS
    }


def _reference_pages() -> dict[str, bytes]:
    """Return the pages that diagnostics and platform files point to."""
    pages = {"diagnostics": render_reference()}
    pages |= {page: render_spec_reference(schema) for schema, page in PAGES.items() if schema in _SCHEMAS}
    return {f"docs/reference/{name}.md": text.encode() for name, text in pages.items()}


def _examples() -> dict[str, bytes]:
    """Return the examples, in a folder that is no course."""
    return {f"labs/_examples/{path}": data for path, data in example_files().items()}


def _platform_text(environment: str, installation: str, addresses: str) -> bytes:
    head = (
        "# yaml-language-server: $schema=../../schemas/platform.schema.json\n"
        f"# What the operators of this installation say about {environment}. Every key: docs/reference/platform.md\n"
    )
    document = {"installation": installation, "addresses": addresses, "storage": {"local": DEFAULT_POOL}}
    return (head + dump(document)).encode()


def _free_pair(used: list[IPv4Network]) -> tuple[str, str]:
    parts = [part for area in AREAS for part in area.subnets(new_prefix=13)]
    for dev, prod in zip(parts[::2], parts[1::2], strict=True):
        if not any(network.overlaps(dev) or network.overlaps(prod) for network in used):
            return str(dev), str(prod)
    raise UnavailableError(
        "all ranges that installations take by themselves are used by networks on this host",
        resolution="free one, or write 'addresses:' of another private range into both platform.yaml files by hand",
    )


def _used_networks() -> list[IPv4Network]:
    """Return the address ranges of LXD's networks on this host; none when no LXD answers."""
    try:
        networks = Lxd().get("networks", recursion=1)
    except UnavailableError:
        return []
    texts = [network["config"].get("ipv4.address", "none") for network in networks if network["managed"]]
    return [IPv4Network(text, strict=False) for text in texts if "/" in text]


def _write_key(path: Path) -> None:
    """Write the key that student secrets are made from, whole or not at all."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomically(path, secrets.token_hex(SECRET_BYTES) + "\n", 0o600)
