"""What tests put on the wire and beyond it: raw frames of a machine's root, and a network that stands for outside."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from classroom import Classroom, until

# Run in a machine's network: frames as hexadecimal texts on stdin, each sent as it is.
SENDER = """
import json, socket, sys
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
    wire.bind((sys.argv[1], 0))
    for frame in json.load(sys.stdin):
        wire.send(bytes.fromhex(frame))
"""
# Answers on TCP ports 80 and 81, and writes down the payload of each echo request.
WORLD = """
import socket, sys, threading
def serve(port):
    with socket.create_server(("0.0.0.0", port), backlog=64) as server:
        while True:
            server.accept()[0].close()
for port in (80, 81):
    threading.Thread(target=serve, args=(port,), daemon=True).start()
heard = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
print("ready", flush=True)
while True:
    packet = heard.recv(2048)
    if packet[20] == 8:
        print(packet[28:].decode(errors="replace"), flush=True)
"""


@dataclass(frozen=True)
class World:
    """A network outside: `addresses` answer on TCP ports 80 and 81; `said` holds a line for each echo request."""

    addresses: tuple[str, ...]
    log: Path

    @property
    def said(self) -> list[str]:
        return self.log.read_text().splitlines()[1:]


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Have a network of its own beside the host, of addresses that are for tests of networks (RFC 2544)."""
    name = f"pt{secrets.token_hex(4)}"
    net = f"198.18.{secrets.randbelow(254) + 1}"
    addresses = tuple(f"{net}.{number}" for number in (2, 3, 4))
    within = ["ip", "netns", "exec", name]
    commands = [
        ["ip", "netns", "add", name],
        ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name],
        ["ip", "address", "add", f"{net}.1/24", "dev", name],
        ["ip", "link", "set", name, "up"],
        *([*within, "ip", "address", "add", f"{address}/24", "dev", "eth0"] for address in addresses),
        [*within, "ip", "link", "set", "eth0", "up"],
        [*within, "ip", "route", "add", "default", "via", f"{net}.1"],
    ]
    log = folder / "said"
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
        with log.open("w") as out, subprocess.Popen([*within, sys.executable, "-c", WORLD], stdout=out) as process:
            try:
                until(lambda: "ready" in log.read_text(), "the outside world")
                yield World(addresses, log)
            finally:
                process.kill()
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


def send(classroom: Classroom, instance: str, device: str, frames: Sequence[bytes]) -> None:
    """Send raw frames from a machine, as its root could with a program of his own."""
    state = classroom.lxd.get("instances", instance, "state", project=classroom.project("prod"))
    command = ["nsenter", "-t", str(state["pid"]), "-n", sys.executable, "-c", SENDER, device]
    subprocess.run(command, input=json.dumps([frame.hex() for frame in frames]), text=True, check=True)


def hardware(classroom: Classroom, instance: str, device: str = "eth0") -> str:
    """Return the hardware address of a machine's network device."""
    return classroom.read("prod", instance, f"cat /sys/class/net/{device}/address")


def bridge_hardware(bridge: str) -> str:
    """Return the hardware address of the host's interface on a bridge."""
    return Path(f"/sys/class/net/{bridge}/address").read_text().strip()


def echo(sender: str, receiver: str, source: str, target: str, words: str) -> bytes:
    """Return the frame of an echo request from any source; `sender` and `receiver` are hardware addresses."""
    message = _summed(bytes([8, 0, 0, 0, 0, 1, 0, 1]) + words.encode(), 2)
    head = bytes([0x45, 0]) + (20 + len(message)).to_bytes(2) + bytes([0, 1, 0, 0, 64, 1, 0, 0])
    return _ethernet(receiver, sender, 0x0800) + _summed(head + _ip(source) + _ip(target), 10) + message


def arp_claim(sender: str, receiver: str, address: str, target: str) -> bytes:
    """Return the frame of an unasked ARP answer: `address` is at the sender."""
    answer = bytes([0, 1, 8, 0, 6, 4, 0, 2]) + _mac(sender) + _ip(address) + _mac(receiver) + _ip(target)
    return _ethernet(receiver, sender, 0x0806) + answer


def _ethernet(receiver: str, sender: str, kind: int) -> bytes:
    return _mac(receiver) + _mac(sender) + kind.to_bytes(2)


def _summed(data: bytes, place: int) -> bytes:
    """Return data with its internet checksum at a place (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2]) for at in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return data[:place] + (total ^ 0xFFFF).to_bytes(2) + data[place + 2 :]


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _ip(text: str) -> bytes:
    return bytes(map(int, text.split(".")))
