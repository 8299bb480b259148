"""Walls between seats on real bridges: what is closed, what is open, and that a hole is seen and mended."""

import socket
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from classroom import Classroom, until
from wire import World, arp_claim, bridge_hardware, echo, hardware, send, world

pytestmark = [pytest.mark.lxd, pytest.mark.root, pytest.mark.alone]

BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
Target = tuple[str, int]


@pytest.fixture(params=["0", "1"])
def bridge_filter(request: pytest.FixtureRequest) -> Iterator[str]:
    """Whether traffic within a bridge passes the host's filter too; a setting of the whole host."""
    if not BRIDGE_FILTER.exists():
        pytest.skip("this kernel does not filter bridges")
    before = BRIDGE_FILTER.read_text()
    BRIDGE_FILTER.write_text(request.param)
    yield request.param
    BRIDGE_FILTER.write_text(before)


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on which this host answers at all its addresses."""
    with socket.create_server(("0.0.0.0", 0), backlog=64) as server:  # noqa: S104
        yield server.getsockname()[1]


def host_addresses() -> list[str]:
    listed = subprocess.run(["ip", "-4", "-o", "address"], capture_output=True, text=True, check=True).stdout
    found = [line.split()[3].split("/")[0] for line in listed.splitlines()]
    return [address for address in found if not address.startswith("127.")]


def connects(target: Target) -> bool:
    try:
        socket.create_connection(target, timeout=2).close()
    except OSError:
        return False
    return True


def test_walls_of_seats(classroom: Classroom, bridge_filter: str, listener: int) -> None:
    host = {(address, listener) for address in host_addresses()}
    gateways = {(classroom.gateway("prod", seat), listener) for seat in ("prof", "s001", "s002")}
    assert gateways < host
    assert all(map(connects, host))
    lan = {name: classroom.addresses("prod", name)[0] for name in classroom.instances("prod")}
    dmz = {name: classroom.addresses("prod", name)[1] for name in lan if name != "probe"}
    own = {(lan["prof-web"], 80), (lan["prof-desk"], 22), (lan["probe"], 80)}
    theirs = {(lan["s002-web"], 80), (lan["s002-desk"], 22)}
    assert classroom.opens("prod", "probe", own | theirs) == own | theirs
    behind = {(dmz["s002-web"], 80), (dmz["s002-web"], 22)}
    assert classroom.opens("prod", "s002-desk", behind) == behind
    dev = {(classroom.addresses("dev", "prof-web")[0], 80)}
    assert classroom.opens("dev", "probe", dev) == dev

    inside = {(address[name], 80) for address in (lan, dmz) for name in ("s001-web", "s001-desk")}
    everything = host | own | theirs | behind | dev | inside
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda machine: classroom.opens("prod", machine, everything), ("s001-web", "s001-desk"))
        assert list(found) == [inside, inside]
    assert classroom.opens("prod", "prof-web", {(lan["s001-web"], 80), *theirs}) == {(lan["s001-web"], 80), *theirs}
    assert classroom.opens("dev", "probe", {(lan["s001-web"], 80), *own, *theirs}) == set()


def test_a_network_without_gateway_is_no_way_round_the_wall(classroom: Classroom, listener: int) -> None:
    neighbour = classroom.address("prod", "s002", "web")
    closed = {(address, listener) for address in host_addresses()} | {(neighbour, 80)}
    with turned_to_second_network(classroom, [address for address, _ in closed]):
        assert classroom.opens("prod", "s001-web", closed) == set()


def test_bridges_speak_no_ipv6(classroom: Classroom) -> None:
    bridges = {network["name"] for key, network in classroom.documents().items() if key.startswith("network ")}
    speakers = {line.split()[-1] for line in Path("/proc/net/if_inet6").read_text().splitlines()}
    assert bridges
    assert not bridges & speakers


def echoes(classroom: Classroom, machine: str) -> int:
    """Return how many echo requests have reached a machine, answered or not."""
    lines = classroom.read("prod", machine, "grep ^Icmp: /proc/net/snmp").splitlines()
    return int(dict(zip(*(line.split() for line in lines), strict=True))["InEchos"])


def ping(classroom: Classroom, machine: str, targets: list[str], sources: Iterable[str] = ()) -> None:
    """Send echo requests to all targets at once, from the machine's own address and from claimed ones."""
    claims = [f"{source}/32 dev lo" for source in sources]
    tries = [f"ping -c 1 -W 1 {target} &" for target in targets]
    tries += [f"ping -c 1 -W 1 -I {source} {target} &" for source in sources for target in targets]
    before, after = ([f"ip address {verb} {claim}" for claim in claims] for verb in ("add", "del"))
    classroom.read("prod", machine, "\n".join([*before, *tries, "wait", *after]))


@contextmanager
def turned_to_second_network(classroom: Classroom, targets: Iterable[str]) -> Iterator[None]:
    """Have s001-web send everything for the targets to the host's interface in the network without gateway."""
    seat = classroom.gateway("prod", "s001").rsplit(".", 1)[0]
    address = f"{seat}.30"
    hardware = Path(f"/sys/class/net/{classroom.bridge('prod', 's001', 1)}/address").read_text().strip()
    ways = [f"{target}/32 via {address} dev eth1" for target in targets]
    script = [f"arp -i eth1 -s {address} {hardware}", *(f"ip route add {way}" for way in ways)]
    classroom.read("prod", "s001-web", "set -e\n" + "\n".join(script))
    yield
    script = [*(f"ip route del {way}" for way in ways), f"arp -i eth1 -d {address}"]
    classroom.read("prod", "s001-web", "\n".join(script))


def sent(classroom: Classroom) -> int:
    """Return how many packets s001-web has sent into its second network."""
    return int(classroom.read("prod", "s001-web", "cat /sys/class/net/eth1/statistics/tx_packets"))


def test_a_spoofed_source_reaches_nobody(classroom: Classroom) -> None:
    lan = {name: classroom.addresses("prod", name)[0] for name in classroom.instances("prod")}
    victims = {name: lan[name] for name in ("s002-web", "prof-web", "probe")}
    targets = [*victims.values(), *host_addresses()]
    sources = [lan["prof-desk"], lan["s002-desk"], "198.51.100.7"]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as heard:
        heard.settimeout(5)
        ping(classroom, "prof-web", [lan["s002-web"], lan["probe"]])
        ping(classroom, "probe", [lan["prof-web"]])
        before = {victim: echoes(classroom, victim) for victim in victims}
        assert min(before.values()) >= 1
        ping(classroom, "s001-web", targets, sources)
        with turned_to_second_network(classroom, targets):
            left = sent(classroom)
            ping(classroom, "s001-web", targets, sources)
            assert sent(classroom) - left >= len(targets) * (1 + len(sources))
        assert {victim: echoes(classroom, victim) for victim in victims} == before
        subprocess.run(["busybox", "ping", "-c", "1", "127.0.0.1"], check=True, capture_output=True)
        senders = _senders(heard)
    # Machines of others on this host may ping it meanwhile.
    assert not senders & {*sources, *classroom.addresses("prod", "s001-web")}


def _senders(heard: socket.socket) -> set[str]:
    """Return from whom ICMP echo requests have come to this host until its own one."""
    senders: set[str] = set()
    while "127.0.0.1" not in senders:
        packet, (address, _) = heard.recvfrom(2048)
        if packet[(packet[0] & 15) * 4] == 8:
            senders.add(address)
    return senders


@pytest.fixture
def outside(tmp_path: Path, classroom: Classroom) -> Iterator[World]:
    """What stands for the internet; the host has an address more for it, which the next run closes."""
    with world(tmp_path) as found:
        classroom.provision("prod")
        yield found


def test_raw_frames_under_another_name_reach_nobody(classroom: Classroom, bridge_filter: str, outside: World) -> None:
    lan = {name: classroom.addresses("prod", name)[0] for name in classroom.instances("prod")}
    victims = {name: lan[name] for name in ("s002-web", "prof-web", "probe")}
    claimed = [lan["s002-desk"], classroom.gateway("prod", "s002"), classroom.gateway("prod", "s001"), lan["prof-desk"]]
    own = lan["s001-web"]
    targets = [*victims.values(), *host_addresses(), "127.0.0.1", "255.255.255.255", "224.0.0.1", outside.addresses[0]]
    for name, address in victims.items():
        ping(classroom, "probe" if name != "probe" else "prof-web", [address])
    before = {victim: echoes(classroom, victim) for victim in victims}
    assert min(before.values()) >= 1
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as heard:
        heard.settimeout(5)
        for number, device in enumerate(("eth0", "eth1")):
            ends = hardware(classroom, "s001-web", device), bridge_hardware(classroom.bridge("prod", "s001", number))
            frames = [
                echo(*ends, source, target, source) for source in (*claimed, "198.51.100.7") for target in targets
            ]
            frames += [echo(*ends, own, target, own) for target in targets]
            send(classroom, "s001-web", device, [*frames, echo(*ends, own, outside.addresses[1], f"last of {device}")])
            until(lambda device=device: f"last of {device}" in outside.said, "the honest packet")
        subprocess.run(["busybox", "ping", "-c", "1", "127.0.0.1"], check=True, capture_output=True)
        assert not _senders(heard) & {own, *claimed, "198.51.100.7"}
    assert {victim: echoes(classroom, victim) for victim in victims} == before
    assert set(outside.said) == {own, "last of eth0", "last of eth1"}


def test_who_says_to_be_the_gateway_or_a_neighbour_misleads_nobody_else(
    classroom: Classroom, bridge_filter: str
) -> None:
    liar, gateways = hardware(classroom, "s002-web"), [classroom.gateway("prod", seat) for seat in ("s001", "prof")]
    lan = {name: classroom.addresses("prod", name)[0] for name in ("s001-web", "s001-desk", "prof-web", "probe")}
    everyone = "ff:ff:ff:ff:ff:ff"
    frames = [arp_claim(liar, everyone, address, address) for address in (*gateways, *lan.values())]
    for device in ("eth0", "eth1"):
        send(classroom, "s002-web", device, frames * 3)
    for machine in ("s001-web", "s001-desk", "prof-web", "probe"):
        assert liar not in classroom.read("prod", machine, "cat /proc/net/arp")
    known = subprocess.run(["ip", "neighbour"], capture_output=True, text=True, check=True).stdout.splitlines()
    own = classroom.addresses("prod", "s002-web")[0]
    assert {line.split()[0] for line in known if liar in line} <= {own}
    inside = {(lan["s001-web"], 80), (lan["s001-desk"], 22)}
    assert classroom.opens("prod", "probe", inside) == inside
    assert classroom.opens("prod", "s001-desk", inside) == inside


def test_two_seats_that_help_each_other_do_not_meet(classroom: Classroom, bridge_filter: str, outside: World) -> None:
    pair = {"s001": "s002", "s002": "s001"}
    address = {seat: classroom.addresses("prod", f"{seat}-web")[0] for seat in pair}
    meeting = outside.addresses[0] + "0"
    for seat, other in pair.items():
        gateway = classroom.gateway("prod", seat)
        classroom.read(
            "prod",
            f"{seat}-web",
            f"sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.eth0.proxy_arp=1 net.ipv4.conf.eth1.proxy_arp=1;"
            f"ip route add {address[other]}/32 via {gateway}; ip address add {meeting}{seat[-1]}/32 dev lo;"
            f"ip route add {meeting}{other[-1]}/32 via {gateway}",
        )
    try:
        for seat, other in pair.items():
            targets = {(address[other], 80), (f"{meeting}{other[-1]}", 80)}
            assert classroom.opens("prod", f"{other}-web", targets) == targets
            assert classroom.opens("prod", f"{seat}-web", targets) == set()
    finally:
        for seat, other in pair.items():
            undo = (
                f"ip route del {address[other]}/32; ip route del {meeting}{other[-1]}/32;"
                f"ip address del {meeting}{seat[-1]}/32 dev lo; sysctl -q -w net.ipv4.ip_forward=0"
            )
            classroom.read("prod", f"{seat}-web", undo)


def test_names_and_addresses_are_given_at_the_gateway(classroom: Classroom, bridge_filter: str) -> None:
    for machine in ("s001-desk", "prof-desk"):
        gateway = classroom.gateway("prod", machine.split("-")[0])
        code, words = classroom.run("prod", machine, f"nslookup gateway.invalid {gateway}")
        assert "timed out" not in words, code
        lease = classroom.read("prod", machine, "udhcpc -i eth0 -n -q -f -t 5 -T 1 -s /bin/true 2>&1")
        assert f"lease of {classroom.addresses('prod', machine)[0]} obtained" in lease


def test_the_host_answers_no_ipv6_of_a_seat(classroom: Classroom) -> None:
    for number, device in enumerate(("eth0", "eth1")):
        name = classroom.bridge("prod", "s001", number)
        bridge = bytes.fromhex(bridge_hardware(name).replace(":", ""))
        parts = bytes([bridge[0] ^ 2]) + bridge[1:3] + b"\xff\xfe" + bridge[3:]
        address = "fe80::" + ":".join(parts[at : at + 2].hex() for at in range(0, 8, 2))
        for target in (address, "ff02::1"):
            _, words = classroom.run("prod", "s001-web", f"ping -6 -c 2 -W 1 -I {device} {target}")
            assert address not in [line.split()[3].strip(":") for line in words.splitlines() if "bytes from" in line]


def test_a_hole_is_reported_and_the_next_run_mends_it(classroom: Classroom) -> None:
    classroom.provision("prod")  # the host may have other addresses since
    sound = classroom.documents()
    broken = [classroom.bridge("prod", seat) for seat in ("prof", "s001", "s002")]
    for bridge in broken:
        classroom.lxd.patch("networks", bridge, body={"config": {"security.acls": ""}})
    found = classroom.smoke("prod")
    # Of two students each is the other's only neighbour, whatever the second ring is.
    assert found["s001"] == [
        "the host is closed to the seat",
        "the professor is closed to the seat",
        "another seat (s002) is closed to the seat",
    ]
    assert found["prof"] == []
    actions = classroom.provision("prod").plan.actions
    mended = {(action.verb, action.kind, action.name) for action in actions if action.kind != "acl"}
    assert mended == {("update", "network", bridge) for bridge in broken}
    assert classroom.documents() == sound
    assert classroom.smoke("prod") == {"prof": [], "s001": [], "s002": []}
