"""Networks and ACLs of a seat: who may talk to whom, in LXD's vocabulary.

LXD judges drop before reject before allow before the default, which is reject; so everything that is open is said
here and everything else is closed. Egress is judged by the interface it comes from: a spoofed source gains nothing.
Rules for the seat's own range make bridges behave alike with br_netfilter on and off.
Measured in the project's facts about LXD 5.0: the matrix of student, professor and host holds with these rules.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from generator.render.references import reference
from generator.seats.addresses import LabAddresses, gateway
from generator.seats.names import PROFESSOR, Scope
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
Rule = dict[str, str]
Document = dict[str, Any]


def internet() -> list[IPv4Network]:
    """Return the ranges that are the internet: all but private, local and multicast ones."""
    ranges = [IPv4Network("0.0.0.0/0")]
    for closed in NOT_INTERNET:
        ranges = [part for area in ranges for part in _without(area, closed)]
    return sorted(collapse_addresses(ranges))


def seat_networks(lab: Lab, scope: Scope, addresses: LabAddresses, seat: str) -> list[Document]:
    """Return a seat's bridges; the first one has a gateway with DNS, the others have no address."""
    acls = [scope.acl("students"), scope.acl(seat)] if seat != PROFESSOR else [scope.acl(PROFESSOR)]
    networks = addresses.networks(seat, lab.networks)
    return [
        {
            "name": scope.bridge(seat, index),
            "description": f"{lab.key} {seat} {name} ({scope.environment})",
            "type": "bridge",
            "config": {
                "ipv4.address": f"{gateway(network)}/{network.prefixlen}" if index == 0 else "none",
                **({"ipv4.nat": "true", "raw.dnsmasq": _resolver(lab, scope, seat)} if index == 0 else {}),
                "ipv6.address": "none",
                "security.acls": ",".join(acls),
                "user.practicum": scope.marker(seat),
                "user.practicum.network": name,
            },
        }
        for index, (name, network) in enumerate(networks.items())
    ]


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
        _internet_rules(lab.internet),
        [{**_rule("allow"), "source": _machines(professor)}],
    )


def seat_acl(lab: Lab, scope: Scope, addresses: LabAddresses, seat: str) -> Document:
    """Return what only this seat may do: talk to itself."""
    own = _machines(addresses.seat(seat))
    egress, ingress = {**_rule("allow"), "destination": own}, {**_rule("allow"), "source": own}
    return _acl(scope.acl(seat), f"{lab.key}: {seat} with itself", scope.marker(seat), [egress], [ingress])


def professor_acl(lab: Lab, scope: Scope, platform: Platform, addresses: LabAddresses) -> Document:
    """Return what the professor's seat and the probe may do: reach every seat of the lab, and install packages."""
    own = addresses.seat(PROFESSOR)
    egress: list[Rule] = [_to(addresses.blocks)]
    if scope.environment == "prod":
        egress += _internet_rules(lab.internet)
    elif platform.professor_internet == "full":
        egress += _internet_rules("full")
    if scope.environment == "dev" and platform.professor_internet != "none":
        egress.append({**_rule("allow"), "destination": reference("mirror-addresses")})
    ingress = [{**_rule("allow"), "source": _machines(own)}]
    return _acl(scope.acl(PROFESSOR), f"{lab.key}: the professor", scope.marker(PROFESSOR), egress, ingress)


def _internet_rules(policy: str | tuple[AllowedHost, ...]) -> list[Rule]:
    if policy == "none":
        return []
    # The host may have public addresses: it is not part of the internet for a seat.
    closed = {"action": "reject", "destination": reference("host-addresses"), "state": "enabled"}
    if isinstance(policy, str):
        return [closed, _to(internet())]
    # Hosts by name are a need, told before any effect.
    return [closed, *(_allowed(entry, entry.cidr) for entry in policy if entry.cidr)]


def _allowed(entry: AllowedHost, cidr: str) -> Rule:
    rule = {**_rule("allow"), "destination": cidr}
    return {**rule, "protocol": "tcp", "destination_port": ",".join(map(str, entry.ports))} if entry.ports else rule


def _without(area: IPv4Network, closed: IPv4Network) -> Iterable[IPv4Network]:
    return area.address_exclude(closed) if closed.subnet_of(area) else [area]


def _acl(name: str, description: str, marker: str, egress: Sequence[Rule], ingress: Sequence[Rule]) -> Document:
    config = {"user.practicum": marker}
    return {"name": name, "description": description, "config": config, "egress": [*egress], "ingress": [*ingress]}


def _machines(seat: IPv4Network) -> str:
    """Return a seat's addresses without its gateway's: the host is no part of a seat."""
    return f"{gateway(seat) + 1}-{seat.broadcast_address - 1}"


def _rule(action: str) -> Rule:
    return {"action": action, "state": "enabled"}


def _to(ranges: Iterable[IPv4Network]) -> Rule:
    return {**_rule("allow"), "destination": ",".join(map(str, ranges))}
