"""Rules about the internet allow-list: it must not open a way to other seats, hosts or metadata."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.document import Path
from generator.spec.platform import Platform
from generator.spec.rules.context import Context

__all__ = ["allowed_hosts", "closed_ranges"]

Block = IPv4Network | IPv6Network

# RFC 6890: addresses that mean this host, this link, or no single host; with the clouds' metadata services.
_FORBIDDEN = {
    "0.0.0.0/8": "addresses of this host",
    "127.0.0.0/8": "addresses of this host",
    "169.254.0.0/16": "link-local addresses with the metadata service of clouds",
    "224.0.0.0/4": "multicast addresses",
    "::1/128": "addresses of this host",
    "fe80::/10": "link-local addresses",
    "ff00::/8": "multicast addresses",
    "::ffff:0:0/96": "IPv4 addresses in the form of IPv6",
    "64:ff9b::/96": "IPv4 addresses in the form of IPv6",
    "fd00:ec2::254/128": "the metadata service of a cloud",
}
_CLOSED_HOSTS = {
    "localhost": "this host",
    "metadata.google.internal": "the metadata service of a cloud",
}
# A netmask (/255.255.255.0) is not what LXD reads.
_PREFIX = re.compile(r"^[^/]+(/[0-9]{1,3})?$")
# Resolvers read names such as 127.1 and 0x7f000001 as addresses; no host name ends in a number.
_SHORT_ADDRESS = re.compile(r"(^|\.)([0-9]+|0[xX][0-9a-fA-F]*)\.?$")


def allowed_hosts(context: Context) -> Iterator[Diagnostic]:
    """Every entry names either a host or a range, and no range that isolation forbids."""
    for index, entry in context.items("network", "internet"):
        path: Path = ("network", "internet", index)
        if ("host" in entry) == ("cidr" in entry):
            if not {(*path, "host"), (*path, "cidr")} & context.excused:
                yield context.document.problem("PRA082", "write either `host` or `cidr`, exactly one", path)
            continue
        yield from _range_problem(context, entry, path)


def _range_problem(context: Context, entry: dict[str, Any], path: Path) -> Iterator[Diagnostic]:
    key = "cidr" if "cidr" in entry else "host"
    text = entry[key]
    if text is None:
        return
    if key == "host" and text.lower().rstrip(".") in _CLOSED_HOSTS:
        message = f"'{text}' is {_CLOSED_HOSTS[text.lower().rstrip('.')]}"
        yield context.document.problem("PRA080", message, (*path, key))
        return
    try:
        block = ip_network(text, strict=key == "cidr")
        if not _PREFIX.search(text):
            raise ValueError(text)
    except ValueError:
        if key == "cidr" or _SHORT_ADDRESS.search(text):
            yield _bad_range(context, text, (*path, key))
        return
    yield from _overlap(context, block, text, (*path, key))


def _bad_range(context: Context, text: str, path: Path) -> Diagnostic:
    try:
        better = f"; did you mean '{ip_network(text, strict=False)}'?"
    except ValueError:
        better = ""
    kind = "an address range" if path[-1] == "cidr" else "a host name"
    return context.document.problem("PRA081", f"'{text}' is not {kind}{better}", path)


def _overlap(context: Context, block: Block, text: str, path: Path) -> Iterator[Diagnostic]:
    for other, words in _forbidden(context.platforms):
        if block.version == other.version and block.overlaps(other):
            hint = "For everything write `internet: full`; isolation holds there too." if block.prefixlen == 0 else ""
            message = f"'{text}' overlaps {words} ({other})"
            yield context.document.problem("PRA080", message, path, hint=hint)
            return


def closed_ranges(platforms: Mapping[str, Platform]) -> list[IPv4Network]:
    """Return the IPv4 ranges that no entry opens, whether it names them or a host that turns out to be there."""
    return [block for block, _words in _forbidden(platforms) if isinstance(block, IPv4Network)]


def _forbidden(platforms: Mapping[str, Platform]) -> Iterator[tuple[Block, str]]:
    for environment, platform in sorted(platforms.items()):
        yield platform.addresses, f"the addresses of labs in {environment}"
    for text, words in _FORBIDDEN.items():
        yield ip_network(text), words
