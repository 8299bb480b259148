"""The pure part of reconciliation: what is wanted and what is there in, actions out."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from generator.seats.names import PROFESSOR, previous, upcoming
from practicum.lxd.desired import Desired, Instance, Seat, Volume, volume_of
from practicum.lxd.observe import CLEARED, INCOMING, SEEDED, WHOLE, Observed

Verb = Literal[
    "create", "update", "start", "stop", "delete", "seed", "attach", "complete",
    "prepare", "switch", "return", "keep", "halt", "clear", "adopt",
]  # fmt: skip
Kind = Literal["project", "acl", "profile", "network", "volume", "instance"]
READY = "user.practicum.ready"
STEPS = "user.practicum.steps"
NETWORKS = ("acl", "network")
# Set on a machine that took another one's place when everything was carried over; kept for the machine's life.
CARRIED = "user.practicum.carried"
# Set on a machine that a reset gave a system, until the whole reset has ended.
AGAIN = "user.practicum.again"
# LXD's record of the image that a machine, or what it was copied from, was made of.
BASE_IMAGE = "volatile.base_image"
# What LXD, images and Practicum's own records write; every other key is for the definitions to set.
RECORDS = ("volatile.", "image.", "user.")


@dataclass(frozen=True)
class Action:
    """One thing to do. `subject` is the desired object, `why` is for people."""

    verb: Verb
    kind: Kind
    name: str
    seat: str
    subject: Any = None
    machine: str = ""
    why: str = ""


@dataclass(frozen=True)
class Plan:
    """What to do: `shared` first and in order, then each seat's actions in order, seats side by side.

    `extra` are machines that the definitions do not know; `outdated` run an older release.
    """

    shared: tuple[Action, ...]
    seats: Mapping[str, tuple[Action, ...]]
    extra: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions."""
        return (*self.shared, *(action for actions in self.seats.values() for action in actions))

    @property
    def ahead(self) -> "Plan":
        """What of it can be done ahead of need: shared objects, ACLs and networks; no machine is touched."""
        networks = {
            seat: kept
            for seat, actions in self.seats.items()
            if (kept := tuple(action for action in actions if action.kind in NETWORKS))
        }
        return Plan(self.shared, networks)


@dataclass(frozen=True)
class _Planner:
    desired: Desired
    observed: Observed
    outdated: list[str] = field(default_factory=list)
    # Machines of which this plan takes network and volumes for a while.
    halted: set[str] = field(default_factory=set)

    def shared(self) -> Iterator[Action]:
        project = self.desired.project
        if self.observed.project is None:
            yield Action("create", "project", project["name"], "-", project)
        elif not _covers(project["config"], self.observed.project["config"]):
            yield Action("update", "project", project["name"], "-", project)
        for acl in self.desired.acls:
            yield from self._acl(acl, "-")
        for profile in self.desired.profiles:
            yield from self._profile(profile)

    def seat(self, seat: Seat) -> Iterator[Action]:
        if not seat.running:
            yield from self._stopped(seat)
            return
        for acl in seat.acls:
            yield from self._acl(acl, seat.name)
        for network in seat.networks:
            yield from self._network(network, seat.name)
        cleared = self._to_clear(seat)
        yield from self._preparation(seat, cleared)
        for volume in seat.volumes:
            if volume not in cleared:
                yield from self._volume(volume, seat.name)
        unseeded = {volume.name: volume for volume in seat.volumes if self._unseeded(volume)}
        for instance in (*seat.instances, *((self.desired.probe,) if seat.name == "prof" else ())):
            yield from self._instance(instance, unseeded)

    def extra(self) -> tuple[str, ...]:
        unknown = unknown_machines(self.desired, self.observed)
        return tuple(name for name in unknown if self._is_chosen(self.observed.instances[name]))

    def _is_chosen(self, found: Mapping[str, Any]) -> bool:
        """Say whether a machine that nothing defines is ours, and of a seat that this run is about."""
        scope, _, seat = found["config"].get("user.practicum", "").rpartition("/")
        ours = scope == self.desired.marker.rpartition("/")[0]
        return ours and (self.desired.whole or seat in {chosen.name for chosen in self.desired.seats})

    def _acl(self, acl: Mapping[str, Any], seat: str) -> Iterator[Action]:
        found = self.observed.acls.get(acl["name"])
        if found is None:
            yield Action("create", "acl", acl["name"], seat, acl)
        elif any(not _same_rules(acl[side], found[side]) for side in ("egress", "ingress")) or not _covers(
            acl["config"], found["config"]
        ):
            yield Action("update", "acl", acl["name"], seat, acl, why="rules differ")

    def _profile(self, profile: Mapping[str, Any]) -> Iterator[Action]:
        found = self.observed.profiles.get(profile["name"])
        if found is None:
            yield Action("create", "profile", profile["name"], "-", profile)
        elif profile["config"] != found["config"] or profile["devices"] != found["devices"]:
            yield Action("update", "profile", profile["name"], "-", profile, why="limits differ")

    def _network(self, network: Mapping[str, Any], seat: str) -> Iterator[Action]:
        found = self.observed.networks.get(network["name"])
        if found is None:
            yield Action("create", "network", network["name"], seat, network)
        elif not _covers(network["config"], found["config"]) or set_by_hand(network["config"], found["config"]):
            yield Action("update", "network", network["name"], seat, network, why="settings differ")

    def _volume(self, volume: Volume, seat: str) -> Iterator[Action]:
        found = self.observed.volumes.get((volume.pool, volume.name))
        if found is None and self._came_in(volume) is not None:
            yield Action("adopt", "volume", volume.name, seat, volume, why="what came in was cut off")
        elif found is None:
            yield Action("create", "volume", volume.name, seat, volume)
        elif not _covers(volume.config, found["config"]):
            yield Action("update", "volume", volume.name, seat, volume, why="size differs")

    def _came_in(self, volume: Volume) -> Mapping[str, Any] | None:
        """Return what came in for a volume and only has to be renamed."""
        incoming = self.observed.volumes.get((volume.pool, volume.name + INCOMING))
        return incoming if incoming is not None and WHOLE in incoming["config"] else None

    def _unseeded(self, volume: Volume) -> bool:
        found = self.observed.volumes.get((volume.pool, volume.name)) or self._came_in(volume)
        return not volume.origin if found is None else SEEDED not in found["config"]

    def _preparation(self, seat: Seat, cleared: list[Volume]) -> Iterator[Action]:
        """Prepare new systems beside those of the seat that get one, and clear volumes, which no machine may have."""
        for instance in seat.instances:
            if self._is_replaced(instance):
                yield self._act("prepare", instance, "it runs an older release")
        for instance in seat.instances if cleared else ():
            if instance.name in self.observed.instances:
                yield self._act("halt", instance)
                self.halted.add(instance.name)
        for volume in cleared:
            yield Action("clear", "volume", volume.name, seat.name, volume, why="it starts anew")

    def _to_clear(self, seat: Seat) -> list[Volume]:
        """Return the volumes that are yet to start anew; one that did for this occasion has its mark."""
        occasion = self.desired.replacement.clear
        if not occasion or not any(self._is_replaced(instance) for instance in seat.instances):
            return []
        return [volume for volume in seat.volumes if self._is_to_clear(volume, occasion)]

    def _is_to_clear(self, volume: Volume, occasion: str) -> bool:
        found = self.observed.volumes.get((volume.pool, volume.name))
        if found is None:
            # A run that was cut off had put it aside already; else it is made as a new one.
            return (volume.pool, previous(volume.name)) in self.observed.volumes
        return bool(found["config"].get(CLEARED) != occasion)

    def _is_replaced(self, instance: Instance) -> bool:
        found = self.observed.instances.get(instance.name)
        if found is None or instance.name not in self.desired.replacement.systems:
            return False
        if self.desired.replacement.again:
            return AGAIN not in found["config"]
        return needs_system(instance, found)

    def _instance(self, instance: Instance, unseeded: dict[str, Volume]) -> Iterator[Action]:
        found = self.observed.instances.get(instance.name)
        aside = self.observed.instances.get(upcoming(instance.name))
        if self._is_replaced(instance):
            yield self._act("switch", instance)
            yield self._act("complete", instance)
            return
        if found is None and aside is not None and CARRIED in aside["config"]:
            yield self._act("switch", instance, "a replacement was cut off")
            if READY not in aside["config"]:
                yield self._act("complete", instance)
            return
        if found is None:
            found = self.observed.instances.get(previous(instance.name))
            if found is not None:
                yield self._act("return", instance, "a replacement was cut off")
        if aside is not None:
            yield self._put_away(instance, aside)
        yield from self._settled(instance, found, unseeded)

    def _put_away(self, instance: Instance, aside: Mapping[str, Any]) -> Action:
        """Say what becomes of a `next-M` beside an M that is not replaced now."""
        if is_put_aside(instance.name, aside, self.observed.instances):
            return self._act("keep", instance, "an undo was cut off")
        return Action("delete", "instance", upcoming(instance.name), instance.seat, None, instance.machine, "unused")

    def _settled(
        self, instance: Instance, found: Mapping[str, Any] | None, unseeded: dict[str, Volume]
    ) -> Iterator[Action]:
        remade = instance.from_checkpoint and instance.seat != PROFESSOR
        if found is not None and not {READY, CARRIED} & set(found["config"]) and remade:
            yield self._act("delete", instance, "it was not completed")
            found = None
        to_seed = [unseeded.pop(name) for name in _sources(instance) if name in unseeded]
        if found is None:
            yield self._act("create", instance, "", without=to_seed)
            yield self._act("start", instance)
        else:
            yield from self._present(instance, found, to_seed)
        for volume in to_seed:
            yield Action("seed", "volume", volume.name, instance.seat, (instance, volume), instance.machine)
        if to_seed:
            yield self._act("attach", instance)
        if found is None or found["config"].get(READY) != instance.digest:
            yield from self._completion(instance, found)

    def _present(self, instance: Instance, found: Mapping[str, Any], to_seed: list[Volume]) -> Iterator[Action]:
        wanted = _without(instance, to_seed)
        halted = instance.name in self.halted
        if halted or self._differs(wanted, found):
            yield Action(
                "update", "instance", instance.name, instance.seat, wanted, instance.machine, "settings differ"
            )
        if halted or found["status"] != "Running":
            yield self._act("start", instance, f"it is {found['status'].lower()}")

    def _completion(self, instance: Instance, found: Mapping[str, Any] | None) -> Iterator[Action]:
        outdated = found is not None and instance.from_checkpoint and made_for(found) not in ("", instance.digest)
        if outdated and instance.name not in self.desired.replacement.systems:
            self.outdated.append(instance.name)
        else:
            yield self._act("complete", instance)

    def _stopped(self, seat: Seat) -> Iterator[Action]:
        probe = (self.desired.probe,) if seat.name == "prof" else ()
        for instance in (*seat.instances, *probe):
            found = self.observed.instances.get(instance.name)
            if found is not None and found["status"] == "Running":
                yield self._act("stop", instance, "the lab or the seat is stopped")

    def _differs(self, instance: Instance, found: Mapping[str, Any]) -> bool:
        devices = {name: dict(device) for name, device in instance.devices.items()}
        return (
            not _covers(instance.config, found["config"])
            or bool(set_by_hand(instance.config, found["config"]))
            or list(instance.profiles) != found["profiles"]
            or devices != found["devices"]
        )

    def _act(self, verb: Verb, instance: Instance, why: str = "", without: list[Volume] | None = None) -> Action:
        subject = _without(instance, without or [])
        return Action(verb, "instance", instance.name, instance.seat, subject, instance.machine, why)


def plan(desired: Desired, observed: Observed) -> Plan:
    """Return what to do to get from what is there to what is wanted."""
    planner = _Planner(desired, observed)
    shared = tuple(planner.shared())
    seats = {seat.name: actions for seat in desired.seats if (actions := tuple(planner.seat(seat)))}
    return Plan(shared, seats, planner.extra(), tuple(planner.outdated))


def unknown_machines(desired: Desired, observed: Observed) -> list[str]:
    """Return the machines that no definition of the lab names, somebody's own among them."""
    known = desired.known | {desired.probe.name}
    aside = {of(name) for name in known for of in (upcoming, previous)}
    return sorted(set(observed.instances) - known - aside)


def needs_system(instance: Instance, found: Mapping[str, Any]) -> bool:
    """Say whether an outdated machine was made from another image, so that new files alone do not bring it up."""
    outdated = instance.from_checkpoint and made_for(found) not in ("", instance.digest)
    return outdated and found["config"].get(BASE_IMAGE) != instance.fingerprint


def made_for(found: Mapping[str, Any]) -> str:
    """Return the digest that a machine was completed for, or else carried over for; empty when it is incomplete."""
    return str(found["config"].get(READY) or found["config"].get(CARRIED, ""))


def is_put_aside(name: str, aside: Mapping[str, Any], machines: Container[str]) -> bool:
    """Say whether a `next-M` beside M is a system that an undo put aside, which is to become `prev-M`."""
    return READY in aside["config"] and previous(name) not in machines


def set_by_hand(wanted: Mapping[str, str], found: Mapping[str, str]) -> set[str]:
    """Return the keys that somebody gave an object beyond its definition: limits, rights, open doors."""
    return {key for key in found if key not in wanted and not key.startswith(RECORDS)}


def _sources(instance: Instance) -> list[str]:
    return [name for device in instance.devices.values() if (name := volume_of(device))]


def _without(instance: Instance, volumes: list[Volume]) -> Instance:
    """Return the instance without the disks of volumes that are yet to be filled from its own image."""
    names = {volume.name for volume in volumes}
    devices = {name: device for name, device in instance.devices.items() if volume_of(device) not in names}
    return Instance(**{**instance.__dict__, "devices": devices})


def _covers(wanted: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Say whether all wanted keys are there; LXD leaves out keys that are empty."""
    return all(found.get(key, "") == value for key, value in wanted.items())


def _same_rules(wanted: list[dict[str, str]], found: list[dict[str, str]]) -> bool:
    return sorted(map(_rule_key, wanted)) == sorted(map(_rule_key, found))


def _rule_key(rule: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, value) for key, value in rule.items() if value))
