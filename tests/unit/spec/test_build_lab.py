"""From a good spec to a complete lab."""

from datetime import datetime

import pytest
import yaml

from generator.schema_files import read_schema
from generator.spec.model import AllowedHost, FileEntry, Student
from generator.spec.units import GIB, MIB

SMALL = """\
version: 1
title: Packet filtering
students: 2
machines:
  web: {type: webserver}
  db: {type: database}
"""
TWO_NETWORKS = (
    SMALL.replace("db: {type: database}", "db: {type: database, connect: [dmz]}") + "networks: {lan: , dmz: {}}\n"
)


def test_the_smallest_spec_has_every_default(lab):
    made = lab(SMALL)
    assert (made.key, made.path, made.networks) == ("net101/firewalls", "labs/net101/firewalls.lab.yaml", ("lan",))
    assert made.students == (Student(None), Student(None))
    assert (made.internet, made.checkpoint, made.update, made.solution) == ("none", "manual", "keep", None)
    web, db = made.machines
    assert (web.connect, web.kind, web.cpu, web.memory, web.disk) == (("lan",), "container", 1, 512 * MIB, 5 * GIB)
    assert db.memory == GIB
    assert web.keep == ("/var/www",)


def _defaults(part):
    """Return the keys of a group that have a default, each with what it is, or with the defaults of its own keys."""
    found = {key: child for key, child in part["properties"].items() if "default" in child}
    return {key: _defaults(child) if "properties" in child else child["default"] for key, child in found.items()}


def test_the_defaults_that_the_schema_tells_are_those_that_hold(lab):
    schema = read_schema("lab")
    shared = schema["$defs"]
    check = shared["check"]["properties"]
    spec = yaml.safe_load(SMALL)
    http = {"name": "page", "http": {"machine": "web"}}
    short = {**spec, "volumes": {"home": {}}, "kubernetes": {}, "checks": [http]}
    short["machines"] = {"web": {"type": "webserver", "files": [{"from": "a.txt", "to": "/srv/a"}]}}
    told = {**_defaults(schema), **short}
    told["volumes"] = {"home": _defaults(shared["volume"])}
    told["kubernetes"] = _defaults(shared["kubernetes"])
    told["checks"] = [{**_defaults(shared["check"]), **http}]
    told["checks"][0]["http"] = {**_defaults(check["http"]), "machine": "web"}
    (file,) = short["machines"]["web"]["files"]
    machine = {**_defaults(shared["machine"]), "type": "webserver", "files": [{**_defaults(shared["file"]), **file}]}
    told["machines"] = {"web": machine}
    assert {"assistants", "network", "volumes", "checkpoint", "update", "schedule"} <= set(told)
    assert {"wait", "when", "points", "hint", "hidden"} <= set(told["checks"][0])
    files = {"a.txt": "a"}
    assert lab(yaml.safe_dump(told), files) == lab(yaml.safe_dump(short), files)


def test_without_volumes_there_is_the_home_that_the_schema_tells(lab):
    told = yaml.safe_dump({"volumes": read_schema("lab")["properties"]["volumes"]["default"]})
    assert lab(SMALL + told).volumes == lab(SMALL).volumes != ()


def test_home_goes_to_machines_with_a_student_account(lab):
    (home,) = lab(SMALL).volumes
    assert (home.name, home.size, home.mount, home.machines) == ("home", GIB, "/home/student", ("web",))
    assert (home.storage, home.seed) == ("local", "checkpoint")


def test_volumes_can_be_none_and_take_defaults(lab):
    assert lab(SMALL + "volumes: {}\n").volumes == ()
    (data,) = lab(SMALL + "volumes: {data: {mount: /srv/data/, seed: empty, machines: [db]}}\n").volumes
    assert (data.size, data.mount, data.machines, data.seed) == (GIB, "/srv/data", ("db",), "empty")


def test_types_bring_checks_for_machines_without_a_smoke_test(lab):
    (check,) = lab(SMALL).checks
    assert (check.name, check.kind, check.machine) == ("web: web server answers", "http", "web")
    assert check.settings == {"port": 80, "path": "/", "status": 200}
    assert (check.wait, check.when, check.origin) == (30.0, "smoke", None)


@pytest.mark.parametrize(
    ("checks", "names"),
    [
        ("[]", []),
        ("[{name: own, tcp: {machine: web, port: 22}}]", ["own"]),
        ("[{name: own, tcp: {machine: db, port: 22}}]", ["own", "web: web server answers"]),
        ("[{name: own, when: progress, tcp: {machine: web, port: 22}}]", ["own", "web: web server answers"]),
    ],
)
def test_own_smoke_tests_replace_those_of_the_type(lab, checks, names):
    assert [check.name for check in lab(SMALL + f"checks: {checks}\n").checks] == names


def test_the_probe_cannot_run_a_types_check_on_another_network(lab):
    text = TWO_NETWORKS.replace("web: {type: webserver}", "web: {type: webserver, connect: [dmz]}")
    assert lab(text).checks == ()


def test_checks_have_the_defaults_of_their_kind(lab):
    made = lab(
        SMALL
        + """\
kubernetes: {cluster: lab}
checks:
  - {name: a, http: {machine: web}}
  - {name: b, tcp: {from: db, machine: web, port: 22}, wait: 2m, when: both, points: 3, hidden: true}
  - {name: c, exec: {machine: web, run: "true"}, when: both, hint: Look.}
  - {name: d, kubernetes: {deployment: app}}
"""
    )
    a, b, c, d = made.checks
    assert a.settings == {"port": 80, "path": "/", "status": 200}
    assert (b.origin, b.machine, b.settings, b.wait, b.when, b.points, b.hidden) == (
        "db",
        "web",
        {"port": 22},
        120.0,
        "both",
        3,
        True,
    )
    assert (c.settings, c.hint) == ({"run": "true"}, "Look.")
    assert (d.machine, d.settings) == (None, {"deployment": "app", "available": 1})


def test_files_and_scripts_are_repository_paths(lab):
    made = lab(
        SMALL.replace(
            "web: {type: webserver}",
            """web:
    type: webserver
    files:
      - {from: ./files/a.j2, to: /a, mode: "0755"}
      - {from: "data:imdb", to: /b, sha256: """
            + "ab" * 32
            + """}
    run: [files/run.sh]
    setup: [files/run.sh]
    keep: [/etc/nftables.conf, /var/www]""",
        )
        + "solution: {web: files/run.sh}\nchecks: [{name: a, tcp: {machine: web, port: 22}, when: progress}]\n",
        {"files/a.j2": "", "files/run.sh": "#!/bin/sh\ntrue\n"},
    )
    web = next(machine for machine in made.machines if machine.name == "web")
    assert web.files == (
        FileEntry("labs/net101/files/a.j2", "/a", 0o755),
        FileEntry("data:imdb", "/b", 0o644, "ab" * 32),
    )
    assert web.files[0].rendered
    assert web.run == web.setup == ("labs/net101/files/run.sh",)
    assert web.keep == ("/var/www", "/etc/nftables.conf")
    assert made.solution == {"web": "labs/net101/files/run.sh"}


def test_networks_keep_their_order(lab):
    made = lab(TWO_NETWORKS)
    assert made.networks == ("lan", "dmz")
    assert [machine.connect for machine in made.machines] == [("lan",), ("dmz",)]


def test_an_allow_list_becomes_entries(lab):
    made = lab(SMALL + "network: {internet: [{host: deb.debian.org, ports: [443]}, {cidr: 192.0.2.0/24}]}\n")
    assert made.internet == (AllowedHost("deb.debian.org", None, (443,)), AllowedHost(None, "192.0.2.0/24"))


def test_a_roster_gives_students(lab):
    made = lab(SMALL.replace("students: 2", "students: class.csv"), {"class.csv": "login,name\nada,Ada\nbo,Bo\n"})
    assert made.students == (Student("ada", "Ada"), Student("bo", "Bo"))


def test_kubernetes_has_defaults_in_bytes(lab):
    text = SMALL + "kubernetes: {cluster: seat, base: k8s/, quota: {cpu: 0.5, memory: 512MiB}}\n"
    part = lab(text, {"k8s/kustomization.yaml": "configMapGenerator: [{name: a, literals: [A=b]}]\n"}).kubernetes
    assert (part.cluster, part.base) == ("seat", "labs/net101/k8s")
    assert part.nodes == {"count": "auto", "cpu": 2, "memory": 2 * GIB, "disk": 10 * GIB}
    assert part.quota == {"cpu": 0.5, "memory": 512 * MIB, "pods": 10, "storage": 2 * GIB}


def test_times_keep_their_offset(lab):
    made = lab(SMALL + "schedule: {due: 2026-12-01T23:59:00+01:00, ends: 2026-12-01T23:59:00Z}\n")
    assert made.schedule.due == datetime.fromisoformat("2026-12-01T23:59:00+01:00")
    assert made.schedule.ends > made.schedule.due
    assert made.schedule.ready_by is None


def test_a_spec_with_an_error_makes_no_lab(load):
    assert load(SMALL + "update: never\n").lab is None


def test_a_spec_that_is_not_there_is_told(load):
    from generator.spec.load import load_lab
    from generator.spec.sources import MappingSources

    loaded = load_lab(MappingSources({}), "labs/a/b.lab.yaml", {}, {})
    assert [problem.code for problem in loaded.diagnostics] == ["PRA050"]
