"""What two editions of a lab's definitions differ in, for whom, in words for people who teach."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generator.catalogue.node_image import NODE
from generator.render.tree import tree_digest
from generator.seats.names import CLUSTER, PILOT, PROBE, PROFESSOR, student_number
from generator.seats.seat_book import SeatBook
from practicum.stages.deployment import Document, read_documents

YOURS = "your copy"
LATER = "your copy; the class with its next checkpoint"
_LIMITS = {"limits.cpu": "{} cores", "limits.memory": "{} of memory", "root": "{} of disk"}
_TIMES = {"ready_by": "time to be ready", "due": "due time", "ends": "end"}
_STEPS = {"run": "script", "setup": "setup script"}


@dataclass(frozen=True)
class Difference:
    """One change. `words` has `{}` for each of `names`, which may be text of any origin."""

    who: str
    words: str
    names: tuple[str, ...] = ()

    def told(self, quote: Callable[[str], str] = str) -> str:
        """Return the sentence with each name as `quote` gives it."""
        return self.words.format(*map(quote, self.names))


@dataclass(frozen=True)
class Definition:
    """What the professor's copy is, what each student gets (the pilot is made as they are), and who they are."""

    shared: Document = field(default_factory=dict)
    professor: Document = field(default_factory=dict)
    student: Document = field(default_factory=dict)
    kubernetes: str = ""
    students: SeatBook = field(default_factory=dict)
    # Of the lab's own cluster; each environment may have another number of them.
    nodes: int = 0

    @property
    def active(self) -> tuple[str, ...]:
        """The seats of students who are in the class."""
        return tuple(seat for seat, entry in self.students.items() if entry.state == "active")


def read_definition(tree: Mapping[str, bytes], students: SeatBook) -> Definition:
    """Return the definition that a lab's folder in dev holds. Raises InputError; what it lacks stays empty."""
    documents = read_documents(tree)
    shared, professor, student = (documents.get(name, {}) for name in ("shared", PROFESSOR, PILOT))
    part = {path: data for path, data in tree.items() if path.split("/")[4:5] == ["kubernetes"]}
    nodes = len(documents[CLUSTER]["instances"]) if CLUSTER in documents else 0
    return Definition(shared, professor, student, tree_digest(part) if part else "", students, nodes)


def differences(before: Definition, after: Definition) -> list[Difference]:
    """Return what changes from one definition to the other; before an empty one, everything is new."""
    found = [*_Comparison(before, after, f"{YOURS}, {ranges(after.active)}" if after.active else YOURS).all()]
    if not found and before != after:
        return [Difference(YOURS, "details of the definitions that nobody notices")]
    return found


def ranges(seats: Iterable[str]) -> str:
    """Return students' seats in few words: `s001–s120, s122`."""
    words: list[list[str]] = []
    for seat in sorted(seats, key=student_number):
        if words and student_number(words[-1][-1]) + 1 == student_number(seat):
            words[-1] = [words[-1][0], seat]
        else:
            words.append([seat])
    return ", ".join("–".join(dict.fromkeys(word)) for word in words)


@dataclass(frozen=True)
class _Comparison:
    before: Definition
    after: Definition
    everyone: str

    def all(self) -> Iterator[Difference]:
        yield from self._students()
        yield from self._machines()
        yield from self._nodes()
        yield from self._volumes()
        yield from self._steps()
        yield from self._checks()
        yield from self._times()
        yield from self._walls()
        if self.before.kubernetes != self.after.kubernetes:
            yield Difference(self.everyone, "the Kubernetes part changes")

    def _students(self) -> Iterator[Difference]:
        old, new = set(self.before.active), set(self.after.active)
        if came := new - old:
            yield Difference(ranges(came), f"{_count(len(came), 'new student')}")
        if left := old - new:
            words = f"{_count(len(left), 'student')} on no list any more: stopped, kept for thirty days, then archived"
            yield Difference(ranges(left), words)

    def _machines(self) -> Iterator[Difference]:
        old, new = _sizes(self.before.shared), _sizes(self.after.shared)
        for name in new.keys() - old.keys():
            sizes = ", ".join(_sized(key, value) for key, value in new[name].items())
            yield Difference(self.everyone, f"machine {{}} is new: {sizes}", (name,))
        for name in old.keys() - new.keys():
            yield Difference(self.everyone, "machine {} is removed", (name,))
        for name in sorted(old.keys() & new.keys()):
            for key, value in new[name].items():
                if old[name][key] != value:
                    sizes = f"{_sized(key, value)} instead of {old[name][key]}"
                    yield Difference(self.everyone, f"machine {{}} gets {sizes}", (name,))
        kinds, made = _made_of(self.before.professor), _made_of(self.after.professor)
        for name in sorted(name for name in kinds.keys() & made.keys() if kinds[name] != made[name]):
            yield Difference(self.everyone, "machine {} is of another type or kind, and is made anew", (name,))

    def _nodes(self) -> Iterator[Difference]:
        old, new = ((side.nodes, _profile(side.shared, NODE)) for side in (self.before, self.after))
        if old == new:
            return
        if not self.after.nodes:
            yield Difference(self.everyone, "the lab has no cluster of its own any more")
            return
        sizes = ", ".join(_sized(key, value) for key, value in new[1].items())
        is_new = "" if self.before.nodes else "new: "
        yield Difference(self.everyone, f"the lab's cluster is {is_new}{_count(self.after.nodes, 'node')} with {sizes}")

    def _volumes(self) -> Iterator[Difference]:
        old, new = _volumes(self.before.student), _volumes(self.after.student)
        for name, (size, mount) in new.items():
            if name not in old:
                yield Difference(self.everyone, f"volume {{}} of {size} at {{}} is new", (name, mount))
            elif old[name] != (size, mount):
                yield Difference(self.everyone, f"volume {{}} has {size} at {{}}; its files stay", (name, mount))
        for name in old.keys() - new.keys():
            yield Difference(self.everyone, "volume {} is not used any more; its files are not deleted", (name,))

    def _steps(self) -> Iterator[Difference]:
        old, new = _steps(self.before.professor), _steps(self.after.professor)
        of_students = _steps(self.after.student)
        machines = set(_sizes(self.after.shared))
        for key in [*new, *(key for key in old if key not in new and key[0] in machines)]:
            if old.get(key) != new.get(key):
                how = "is new" if key not in old else "is gone; what it did stays" if key not in new else "changes"
                machine, kind, name = key
                who = self.everyone if key in of_students else LATER
                yield Difference(who, f"{_STEPS.get(kind, kind)} {{}} on {{}} {how}", (name, machine))

    def _checks(self) -> Iterator[Difference]:
        old, new = (
            {str(one["name"]): one for one in side.shared.get("checks", ())} for side in (self.before, self.after)
        )
        for name in dict.fromkeys([*new, *old]):
            if old.get(name) != new.get(name):
                how = "is new" if name not in old else "is gone" if name not in new else "changes"
                yield Difference(self.everyone, f"check {{}} {how}", (name,))

    def _times(self) -> Iterator[Difference]:
        old, new = (side.shared.get("schedule", {}) for side in (self.before, self.after))
        for key, words in _TIMES.items():
            if old.get(key) != new.get(key):
                text = f"the {words} is now {{}}" if key in new else f"there is no {words} any more"
                yield Difference(self.everyone, text, (new[key],) if key in new else ())

    def _walls(self) -> Iterator[Difference]:
        if not self.before.shared:
            return
        if _rules(self.before.shared) != _rules(self.after.shared):
            yield Difference(ranges(self.after.active) or YOURS, "what may be reached on the internet changes")
        if [*_networks(self.before.student)] != [*_networks(self.after.student)]:
            yield Difference(self.everyone, "the networks between machines change")
        if self.before.shared.get("update") != self.after.shared.get("update"):
            how = str(self.after.shared["update"])
            yield Difference(ranges(self.after.active) or YOURS, f"what a delivery replaces changes: update is {how}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _sizes(shared: Document) -> dict[str, dict[str, str]]:
    """Return cores, memory and disk of each machine, as LXD is told them."""
    names = [profile["name"] for profile in shared.get("profiles", ())]
    return {name: _profile(shared, name) for name in names if name not in (PROBE, NODE)}


def _profile(shared: Document, name: str) -> dict[str, str]:
    """Return the sizes of one profile; none when there is no such profile."""
    for profile in shared.get("profiles", ()):
        if profile["name"] == name:
            limits = {key: profile["config"][key] for key in ("limits.cpu", "limits.memory")}
            return {**limits, "root": profile["devices"]["root"]["size"]}
    return {}


def _sized(key: str, value: str) -> str:
    return "1 core" if (key, value) == ("limits.cpu", "1") else _LIMITS[key].format(value)


def _made_of(seat: Document) -> dict[str, tuple[str, Any]]:
    return {one["profiles"][0]: (one["type"], one["source"]) for one in seat.get("instances", ())}


def _volumes(seat: Document) -> dict[str, tuple[str, str]]:
    return {one["volume"]: (one["config"]["size"], one["mount"]) for one in seat.get("volumes", ())}


def _steps(seat: Document) -> dict[tuple[str, str, str], Any]:
    """Return the steps of a seat by machine, kind, and what they are called; each package is one."""
    found: dict[tuple[str, str, str], Any] = {}
    for one in seat.get("instances", ()):
        for step in one["steps"]:
            machine, kind = one["profiles"][0], step["kind"]
            if kind == "packages":
                found |= {(machine, "package", name): name for name in step["packages"]}
            else:
                found[machine, kind, step.get("to") or step["name"]] = step
    return found


def _rules(shared: Document) -> Sequence[Any]:
    return [(acl["egress"], acl["ingress"]) for acl in shared["acls"]]


def _networks(seat: Document) -> Iterator[Any]:
    for network in seat.get("networks", ()):
        yield network["name"], network["config"].get("ipv4.address")
