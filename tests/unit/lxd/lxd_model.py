"""A lab's desired state from real definitions, and a model of what actions make of LXD's objects."""

from dataclasses import dataclass, replace
from datetime import date

import yaml

from generator.catalogue.load import load_catalogue
from generator.generate import read_edition, render
from generator.spec.sources import MappingSources
from practicum.lxd.desired import Pins, build
from practicum.lxd.observe import SEEDED, Observed
from practicum.lxd.plan import READY

LAB = "net101/firewalls"
SPEC = """\
version: 1
title: Packet filtering
students: 2
networks: {lan: {}, dmz: {}}
network: {internet: full}
machines:
  web:
    type: webserver
    connect: [dmz]
    packages: [nftables]
    files: [{from: page.j2, to: /srv/page}]
    run: [prepare.sh]
  desk: {type: debian, connect: [lan, dmz]}
volumes:
  home: {size: 2GiB, mount: /home/student, machines: [web, desk]}
  work: {mount: /srv/work, machines: [desk], seed: empty}
"""
FILES = {"page.j2": b"{{ student.login }} {{ secret('x') }}\n", "prepare.sh": b"#!/bin/sh\n"}
PINS = Pins(
    recipes={"debian": "fp-debian", "webserver": "fp-webserver"},
    machines={"web": "fp-cp-web", "desk": "fp-cp-desk"},
    volumes={"home": "1-home", "work": "1-work"},
    volume_project="checkpoints",
)
VALUES = {"host-addresses": "203.0.113.5", "mirror-addresses": "198.51.100.9", "login": "ada", "secret": "geheim"}


def value(kind, argument, seat):
    """Give the value of a reference, telling whose it is."""
    return f"{VALUES[kind]}-{seat}" if kind in ("login", "secret") else VALUES[kind]


def documents(environment, spec=SPEC):
    """Return the shared document and the seats' by name."""
    content = {f"labs/{LAB}.lab.yaml": spec.encode()} | {f"labs/net101/{name}": data for name, data in FILES.items()}
    edition = read_edition(MappingSources(content), load_catalogue(), [LAB], date(2026, 9, 1))
    assert edition.diagnostics == ()
    tree = render(edition, edition.labs[0], environment)
    found = {
        path.rsplit("/", 1)[1].removesuffix(".yaml"): yaml.safe_load(data)
        for path, data in tree.items()
        if path.endswith(".yaml")
    }
    return found.pop("shared"), found


def wanted(environment="dev", seats=None, pins=PINS, values=value, spec=SPEC):
    """Return the desired state of a lab; by default of the seats that provisioning chooses."""
    shared, found = documents(environment, spec)
    chosen = seats or [name for name in sorted(found) if name != "pilot"]
    desired = build(shared, [found[name] for name in chosen], pins, values)
    known = frozenset(entry["name"] for seat in found.values() for entry in seat["instances"])
    return replace(desired, known=known)


@dataclass
class Host:
    """What stands on LXD. `do` is what `practicum.lxd` makes of an action, as far as `observe` can see it."""

    seen: Observed

    def do(self, action):
        getattr(self, f"_{action.kind}")(action)
        return self

    def do_all(self, plan):
        for action in plan.actions:
            self.do(action)
        return self

    def _put(self, kind, key, document):
        self.seen = replace(self.seen, **{kind: {**getattr(self.seen, kind), key: document}})

    def _project(self, action):
        config = {**(self.seen.project or {"config": {}})["config"], **action.subject["config"]}
        self.seen = replace(self.seen, project={"name": action.name, "config": config})

    def _acl(self, action):
        # LXD fills in the keys that a rule may have.
        empty = {"source": "", "destination": "", "protocol": "", "description": ""}
        rules = {side: [{**empty, **rule} for rule in action.subject[side]] for side in ("egress", "ingress")}
        self._put("acls", action.name, {**action.subject, **rules})

    def _profile(self, action):
        self._put("profiles", action.name, {**action.subject, "used_by": []})

    def _network(self, action):
        # LXD leaves out keys that are empty.
        config = {key: text for key, text in action.subject["config"].items() if text}
        config["volatile.network.hwaddr"] = "00:16:3e:00:00:01"
        self._put("networks", action.name, {**action.subject, "config": config})

    def _volume(self, action):
        if action.verb == "seed":
            _instance, volume = action.subject
            config = {**volume.config, SEEDED: "image"}
        else:
            volume = action.subject
            found = self.seen.volumes.get((volume.pool, volume.name), {"config": {}})["config"]
            origin = {SEEDED: volume.origin} if volume.origin and action.verb == "create" else {}
            config = {**found, **volume.config, **origin}
        self._put("volumes", (volume.pool, volume.name), {"name": volume.name, "config": config})

    def _instance(self, action):
        found = self.seen.instances.get(action.name)
        if action.verb == "delete":
            left = {name: entry for name, entry in self.seen.instances.items() if name != action.name}
            self.seen = replace(self.seen, instances=left)
            return
        changes = {"start": {"status": "Running"}, "stop": {"status": "Stopped"}}.get(action.verb, {})
        if action.verb == "create":
            assert found is None, f"{action.name} is there already"
            found = {"name": action.name, "status": "Stopped", "config": {"volatile.uuid": "1"}}
        assert found is not None, f"{action.verb} of {action.name}, which is not there"
        if action.verb in ("create", "update", "attach"):
            subject = action.subject
            changes = {
                "config": {**found["config"], **subject.config},
                "devices": {name: dict(device) for name, device in subject.devices.items()},
                "profiles": list(subject.profiles),
            }
        if action.verb == "complete":
            changes = {"config": {**found["config"], READY: action.subject.digest}}
        self._put("instances", action.name, {**found, **changes})


def prefix(desired):
    """Return what the names of a lab's bridges and access lists begin with."""
    return desired.acls[0]["name"].rsplit("-", 1)[0] + "-"


def made(desired):
    """Return a host on which everything stands as desired."""
    from practicum.lxd.plan import plan

    return Host(Observed()).do_all(plan(desired, Observed()))
