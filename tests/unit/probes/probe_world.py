"""A small network in memory: an executor that answers the probes' shell programs as machines would."""

from dataclasses import dataclass, field

from practicum.errors import PracticumError
from practicum.probes.model import SeatView
from practicum.probes.reach import REACH, STATUS


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""


def view(seat, machines=("web", "desk"), ports=(22,), base=None):
    """Return a seat whose machines have addresses 10.BASE.0.2, .3, …"""
    base = base if base is not None else {"prof": 0}.get(seat, int(seat[1:]) if seat[1:].isdigit() else 99)
    addresses = {name: f"10.{base}.0.{number}" for number, name in enumerate(machines, start=2)}
    return SeatView(
        seat=seat,
        instances={name: f"{seat}-{name}" for name in machines},
        addresses=addresses,
        ports=dict.fromkeys(machines, tuple(ports)),
        gateway=f"10.{base}.0.1",
        outer={name: f"10.{base}.0.{number}" for number, name in enumerate(machines, start=2)},
    )


@dataclass
class World:
    """Who reaches whom: `open_` holds (instance, address, port). `broken` instances cannot be asked at all."""

    open_: set = field(default_factory=set)
    statuses: dict = field(default_factory=dict)
    commands: dict = field(default_factory=dict)
    broken: set = field(default_factory=set)
    mute: set = field(default_factory=set)
    asked: list = field(default_factory=list)

    def open_seat(self, seen, *sources):
        """Let sources reach all usual ports of a seat."""
        for source in sources:
            self.open_ |= {(source, seen.addresses[name], port) for name in seen.addresses for port in seen.ports[name]}
        return self

    def __call__(self, instance, command):
        self.asked.append((instance, command))
        if instance in self.broken:
            raise PracticumError("the machine is not running", details="Stopped")
        if instance in self.mute:
            return Answer(127, "", "sh: not found")
        if command[2] == REACH:
            return Answer(stdout=self._reach(instance, command[4:]))
        if command[2] == STATUS:
            return Answer(stdout=self._next(self.statuses, (instance, command[4]), "000"))
        assert command[:2] == ["timeout", "60"]
        return self._next(self.commands, (instance, command[4]), Answer(127, "", "not found"))

    def _reach(self, instance, words):
        pairs = zip(words[::2], words[1::2], strict=True)
        return "".join(
            f"{address} {port} {'open' if (instance, address, int(port)) in self.open_ else 'closed'}\n"
            for address, port in pairs
        )

    @staticmethod
    def _next(answers, key, default):
        """Return the next of several answers, the last one for ever."""
        listed = answers.get(key, [default])
        return listed.pop(0) if len(listed) > 1 else listed[0]
