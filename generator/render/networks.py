"""Networks and ACLs of a seat: who may talk to whom, in LXD's vocabulary.

LXD judges drop before reject before allow before the default, which is reject; so everything that is open is said
here and everything else is closed. Egress is judged by the interface it comes from: a spoofed source gains nothing.
Rules for the seat's own range make bridges behave alike with br_netfilter on and off.
Measured in the project's facts about LXD 5.0: the matrix of student, professor and host holds with these rules.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Any

from generator.render.references import reference
from generator.render.routes import behind_routers
from generator.seats.addresses import FIRST_HOST, LabAddresses, gateway
from generator.seats.names import CLUSTER, PROFESSOR, Scope
from generator.spec.model import AllowedHost, Lab
from generator.spec.platform import Platform

NOT_INTERNET = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    )
)
NO_FORWARDING = "no-resolv"
# Addresses inside a lab's own Kubernetes cluster, which no machine outside ever sees; k3s's own defaults.
PODS, SERVICES = IPv4Network("10.42.0.0/16"), IPv4Network("10.43.0.0/16")
API_PORT = 6443
Rule = dict[str, str]
Document = dict[str, Any]


def internet() -> list[IPv4Network]:
    """Return the ranges that are the internet: all but private, local and multicast ones."""
    ranges = [IPv4Network("0.0.0.0/0")]
    for closed in NOT_INTERNET:
        ranges = [part for area in ranges for part in _without(area, closed)]
    return sorted(collapse_addresses(ranges))


def is_internet(address: IPv4Address) -> bool:
    """Say whether an address is one of the internet's."""
    return not any(address in closed for closed in NOT_INTERNET)


def seat_networks(lab: Lab, scope: Scope, addresses: LabAddresses, seat: str) -> list[Document]:
    """Return a seat's bridges; the first one has a gateway with DNS, the others have no address."""
    networks, block = addresses.networks(seat, lab.networks), addresses.seat(seat)
    # The gateway stands for the seat's whole range: what routers have behind them is near for the host, and translated.
    outer = {"ipv4.address": f"{gateway(block)}/{block.prefixlen}", "ipv4.nat": "true"}
    return [
        {
            "name": scope.bridge(seat, index),
            "description": f"{lab.key} {seat} {name} ({scope.environment})",
            "type": "bridge",
            "config": {
                **({**outer, "raw.dnsmasq": _resolver(lab, scope, seat)} if index == 0 else {"ipv4.address": "none"}),
                "ipv6.address": "none",
                "security.acls": ",".join(_acl_names(lab, scope, seat, index)),
                "user.practicum": scope.marker(seat),
                "user.practicum.network": name,
            },
        }
        for index, name in enumerate(networks)
    ]


def _acl_names(lab: Lab, scope: Scope, seat: str, index: int) -> list[str]:
    if seat in (PROFESSOR, CLUSTER):
        return [scope.acl(seat)]
    is_inner = index > 0 and behind_routers(lab)
    return [scope.acl("students"), scope.acl(f"{seat}-inner" if is_inner else seat)]


def _resolver(lab: Lab, scope: Scope, seat: str) -> str:
    """Return dnsmasq's extra settings: a seat without internet gets no answers from outside."""
    follows_spec = seat != PROFESSOR or scope.environment == "prod"
    return NO_FORWARDING if follows_spec and lab.internet == "none" else ""


def students_acl(lab: Lab, scope: Scope, addresses: LabAddresses) -> Document:
    """Return what all students' seats (and the pilot) share: in from the professor, out as far as the spec allows."""
    professor = addresses.seat(PROFESSOR)
    return _acl(
        scope.acl("students"),
        f"{lab.key}: what all students share",
        scope.marker(),
        [*_internet_rules(lab.internet), *_api_rules(lab, addresses)],
        [{**_rule("allow"), "source": _machines(professor)}],
    )


def seat_acls(lab: Lab, scope: Scope, addresses: LabAddresses, seat: str) -> list[Document]:
    """Return what only this seat may do: talk to itself, under no other name than its own."""
    block = addresses.seat(seat)
    own = _machines(block)
    egress, ingress = {**_rule("allow"), "destination": own}, {**_rule("allow"), "source": own}
    rules = ([_no_other_source(own), egress], [ingress])
    acls = [_acl(scope.acl(seat), f"{lab.key}: {seat} with itself", scope.marker(seat), *rules)]
    return [*acls, _inner_acl(lab, scope, block, seat)] if behind_routers(lab) else acls


def _inner_acl(lab: Lab, scope: Scope, block: IPv4Network, seat: str) -> Document:
    """Return what holds on networks behind a router, where br_netfilter has bridges ask too.

    The professor comes with the gateway's address, by the host's translation, and the gateway answers names.
    The host has no address and no way there, so neither opens it.
    """
    whole = f"{gateway(block)}-{block.broadcast_address - 1}"
    names = {**_rule("allow"), "destination": str(gateway(block)), "destination_port": "53"}
    egress = [_no_other_source(whole), {**_rule("allow"), "destination": _machines(block)}]
    egress += [{**names, "protocol": protocol} for protocol in ("tcp", "udp")]
    ingress = [{**_rule("allow"), "source": whole}]
    title = f"{lab.key}: {seat} behind its routers"
    return _acl(scope.acl(f"{seat}-inner"), title, scope.marker(seat), egress, ingress)


def professor_acl(lab: Lab, scope: Scope, platform: Platform, addresses: LabAddresses) -> Document:
    """Return what the professor's seat and the probe may do: reach every seat of the lab, and install packages."""
    own = addresses.seat(PROFESSOR)
    egress: list[Rule] = [_no_other_source(_machines(own)), _to(addresses.blocks)]
    if scope.environment == "prod":
        egress += _internet_rules(lab.internet)
    elif platform.professor_internet == "full":
        egress += _internet_rules("full")
    if scope.environment == "dev" and platform.professor_internet != "none":
        egress.append({**_rule("allow"), "destination": reference("mirror-addresses")})
    ingress = [{**_rule("allow"), "source": _machines(own)}]
    return _acl(scope.acl(PROFESSOR), f"{lab.key}: the professor", scope.marker(PROFESSOR), egress, ingress)


def cluster_acl(lab: Lab, scope: Scope, addresses: LabAddresses) -> Document:
    """Return what the nodes may do: talk to each other, pods among them. In comes who speaks to the API server.

    Where br_netfilter has bridges ask, packets between pods of two nodes have the pods' own addresses.
    """
    block = addresses.seat(CLUSTER)
    own = f"{_machines(block)},{PODS}"
    api = {**_rule("allow"), "protocol": "tcp", "destination_port": str(API_PORT)}
    ingress = [{**_rule("allow"), "source": own}]
    # The lab's blocks have the bridge's address too, with which the host asks.
    ingress += [{**api, "source": str(area)} for area in addresses.blocks]
    egress = [{**_rule("drop"), "source": _others(_machines(block), str(PODS))}, {**_rule("allow"), "destination": own}]
    return _acl(scope.acl(CLUSTER), f"{lab.key}: the Kubernetes nodes", scope.marker(CLUSTER), egress, ingress)


def _api_rules(lab: Lab, addresses: LabAddresses) -> list[Rule]:
    """Return the way to the API server of the lab's own cluster."""
    if lab.own_cluster is None:
        return []
    server = addresses.seat(CLUSTER).network_address + FIRST_HOST
    return [{**_rule("allow"), "destination": str(server), "protocol": "tcp", "destination_port": str(API_PORT)}]


def _internet_rules(policy: str | tuple[AllowedHost, ...]) -> list[Rule]:
    if policy == "none":
        return []
    # The host may have public addresses: it is not part of the internet for a seat.
    closed = {"action": "reject", "destination": reference("host-addresses"), "state": "enabled"}
    if isinstance(policy, str):
        return [closed, _to(internet())]
    return [closed, *map(_allowed, policy)]


def _allowed(entry: AllowedHost) -> Rule:
    # Names are looked up by provisioning, at every run.
    rule = {**_rule("allow"), "destination": entry.cidr or reference("addresses-of", entry.host or "")}
    return {**rule, "protocol": "tcp", "destination_port": ",".join(map(str, entry.ports))} if entry.ports else rule


def _without(area: IPv4Network, closed: IPv4Network) -> Iterable[IPv4Network]:
    return area.address_exclude(closed) if closed.subnet_of(area) else [area]


def _acl(name: str, description: str, marker: str, egress: Sequence[Rule], ingress: Sequence[Rule]) -> Document:
    config = {"user.practicum": marker}
    return {"name": name, "description": description, "config": config, "egress": [*egress], "ingress": [*ingress]}


def _no_other_source(own: str) -> Rule:
    """Return the rule against claimed sources: with one, an answer from the internet would reach whose name it is."""
    return {**_rule("drop"), "source": _others(own)}


def _others(*own: str) -> str:
    """Return all addresses but those of the given ranges, as LXD writes ranges; `own` are FIRST-LAST or blocks."""
    ends = sorted(_ends(text) for text in own)
    firsts = [0, *(last + 1 for _, last in ends)]
    lasts = [*(first - 1 for first, _ in ends), 2**32 - 1]
    return ",".join(f"{IPv4Address(first)}-{IPv4Address(last)}" for first, last in zip(firsts, lasts, strict=True))


def _ends(text: str) -> tuple[int, int]:
    if "/" in text:
        block = IPv4Network(text)
        return int(block.network_address), int(block.broadcast_address)
    first, _, last = text.partition("-")
    return int(IPv4Address(first)), int(IPv4Address(last))


def _machines(seat: IPv4Network) -> str:
    """Return a seat's addresses without its gateway's: the host is no part of a seat."""
    return f"{gateway(seat) + 1}-{seat.broadcast_address - 1}"


def _rule(action: str) -> Rule:
    return {"action": action, "state": "enabled"}


def _to(ranges: Iterable[IPv4Network]) -> Rule:
    return {**_rule("allow"), "destination": ",".join(map(str, ranges))}
