"""The network: names, addresses that others use, forwarding, filters."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from practicum.lxd.inventory import OUR_NAME
from practicum.stages.preconditions.model import Host, HostCheck, advise, judge, note

EVERY_ADDRESS_DNS = "00000000:0035"  # 0.0.0.0:53 as /proc/net/udp writes it


@dataclass(frozen=True)
class Route:
    """A line of /proc/net/route: interfaces, other bridges and learnt routes alike."""

    interface: str
    network: IPv4Network


def names(host: Host) -> Iterator[HostCheck]:
    """Whether the host resolves the mirror's name."""
    found = "names are resolved" if host.facts.resolves else "no answer"
    why = "images come from the Debian mirror, and labs with internet ask through the host"
    yield judge("DNS", host.facts.resolves, found, why, "check the nameserver lines of /etc/resolv.conf")


def resolver(host: Host) -> Iterator[HostCheck]:
    """Whether some DNS server of the host takes the port on all addresses, also those of bridges to come."""
    sockets = (line.split() for line in (host.places.read("proc/net/udp") or "").splitlines()[1:])
    taken = any(row[1] == EVERY_ADDRESS_DNS for row in sockets if len(row) > 1)
    found = "another DNS server listens on all addresses" if taken else "free for LXD's dnsmasq"
    fix = "make it listen on its own address only: 'bind-interfaces' for dnsmasq, 'listen-on { … }' for bind"
    yield judge("DNS port", not taken, found, "every network of a lab has a DNS server at its gateway", fix)


def clashes(host: Host) -> Iterator[HostCheck]:
    """Whether anything on this host uses addresses of the platform files' blocks."""
    for environment, platform in host.platforms.items():
        strangers = [route for route in _routes(host) if not _is_ours(host, route, platform.installation)]
        inside = [route for route in strangers if route.network.overlaps(platform.addresses)]
        hard = [route for route in inside if route.network.subnet_of(platform.addresses)]
        shown = ", ".join(f"{route.network} on {route.interface}" for route in (hard or inside)[:4])
        name, fix = (
            f"addresses {environment}",
            f"another range under 'addresses:' in environments/{environment}/platform.yaml",
        )
        if hard:
            why = "two networks with the same addresses on one host reach neither"
            yield judge(name, False, f"{platform.addresses} is used by {shown}", why, fix)
        else:
            found = f"{platform.addresses} is part of {shown}" if inside else f"{platform.addresses} is free here"
            why = "seats get their networks from this block, and reach no other host that has an address in it"
            yield advise(name, not inside, found, why, fix)


def docker(host: Host) -> Iterator[HostCheck]:
    """Docker, whose firewall drops what it does not know."""
    if host.places.has("sys/class/net/docker0"):
        back = "-o p+ -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        fix = f"sudo iptables -I DOCKER-USER -i p+ -j ACCEPT; sudo iptables -I DOCKER-USER {back}"
        why = "Docker drops forwarded packets that are not its own: labs with internet may reach nothing"
        yield advise("Docker", False, "runs on this host", why, fix)


def forwarding(host: Host) -> Iterator[HostCheck]:
    """Whether the host routes: LXD switches it on itself."""
    found = {None: "unknown", 0: "off"}.get(host.facts.forward, "on")
    yield note("IPv4 forwarding", found, "LXD switches it on with the first network")


def bridge_filter(host: Host) -> Iterator[HostCheck]:
    """Whether packets inside a bridge pass the host's firewall too: labs are made for both."""
    found = {
        None: "not loaded: packets inside a network pass no firewall",
        0: "loaded, off: packets inside a network pass no firewall",
    }.get(host.facts.bridge_filter, "on: packets inside a network pass the firewall too")
    yield note("br_netfilter", found, "either is well: rules of labs allow what machines of one seat say to each other")


def _is_ours(host: Host, route: Route, installation: str) -> bool:
    if host.facts.lxd is None:
        return bool(OUR_NAME.match(route.interface))
    marker = host.facts.lxd.bridges.get(route.interface[:8], "")
    return marker.split("/")[0] == installation


def _routes(host: Host) -> list[Route]:
    """Return the IPv4 routes of the host but for the default one; addresses stand there as little-endian hex."""
    rows = [line.split() for line in (host.places.read("proc/net/route") or "").splitlines()[1:]]
    found = [Route(row[0], IPv4Network((_address(row[1]), str(_address(row[7]))))) for row in rows if len(row) > 7]
    return [route for route in found if route.network.prefixlen > 0]


def _address(text: str) -> IPv4Address:
    return IPv4Address(bytes.fromhex(text)[::-1])
