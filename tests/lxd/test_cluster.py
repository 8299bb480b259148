"""A cluster of two LXD servers: each lab lives on one member, chosen by load, kept, and refused when that is down."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import yaml
from busybox import BUSYBOX
from classroom import LONE, Classroom, inventory, until
from hosts import POOL, Server, Site, classroom_on, new_site
from lxd_fixtures import missing

from practicum.errors import InputError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.cluster import members
from practicum.lxd.endpoints import Endpoint
from practicum.stages.move import move
from practicum.stages.pipeline import commit_lab
from practicum.stages.placement import MEMBER
from practicum.stages.provision import plan_only

# Their network's address is one of the host's, which all labs close to students: classes beside them would change.
pytestmark = [pytest.mark.lxd, pytest.mark.root, pytest.mark.alone]
SPEC: Mapping[str, Any] = {**LONE, "students": 1, "volumes": {"home": {"size": "32MiB", "mount": "/home/student"}}}
OTHER = "net101/other"


@dataclass
class Cluster:
    site: Site
    servers: list[Server]
    lxd: Lxd


@pytest.fixture(scope="module")
def cluster(lxd: Lxd) -> Iterator[Cluster]:
    del lxd
    if not BUSYBOX.exists():
        missing("lxd", "busybox-static is not installed")
    site = new_site()
    try:
        first, second = site.add(), site.add()
        first.listen()
        first.make_pool()
        first.found_cluster()
        second.join(first)
        first.trust(site.client()[0])
        yield Cluster(site, [first, second], Lxd(Endpoint(first.url, *site.client(), first.certificate)))
    finally:
        site.close()


@pytest.fixture(scope="module")
def classroom(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    there = (cluster.site, cluster.servers[0], cluster.lxd)
    addresses = {"dev": "10.110.0.0/18", "prod": "10.110.64.0/18"}
    return classroom_on(*there, tmp_path_factory.mktemp("cluster"), addresses, SPEC)


def places(classroom: Classroom, environment: str) -> set[str]:
    """Return the members that a lab's machines and volumes are on."""
    project = classroom.project(environment)
    volumes = classroom.lxd.get("storage-pools", POOL, "volumes", "custom", project=project, recursion=1)
    return {one["location"] for one in (*classroom.instances(environment).values(), *volumes)}


def recorded(classroom: Classroom, environment: str) -> str:
    return str(classroom.lxd.get("projects", classroom.project(environment))["config"][MEMBER])


def test_a_lab_lives_on_one_member_and_the_next_one_on_the_other(cluster: Cluster, classroom: Classroom) -> None:
    before = inventory(cluster.lxd)
    life = classroom.pipeline()
    assert life.delivery is not None
    assert [one for one in life.delivery.results if not one.ok] == []
    home = recorded(classroom, "dev")
    assert places(classroom, "dev") == places(classroom, "prod") == {home}
    assert recorded(classroom, "prod") == home
    assert plan_only(classroom.workspace, classroom.lab, "prod").actions == ()
    home = _a_lab_moves_with_its_data(cluster, classroom, home)

    other = replace(classroom, lab=OTHER)
    other.write_spec(SPEC)
    commit_lab(other.workspace, other.lab)
    other.provision("dev")
    assert places(other, "dev") == {recorded(other, "dev")} != {home}

    _a_member_that_is_down_is_named(cluster, classroom, other)
    for one in (classroom, other):
        one.destroy("dev", "prod")
    assert {key for key in inventory(cluster.lxd) ^ before if not key.startswith("image")} == set()


def _a_lab_moves_with_its_data(cluster: Cluster, classroom: Classroom, home: str) -> str:
    """Move a lab to the other member, killed on the way; return where it is then."""
    target = next(server.name for server in cluster.servers if server.name != home)
    with pytest.raises(InputError, match="there is no member m9"):
        move(classroom.workspace, classroom.lab, "m9")
    with reserve(classroom, "900TiB"), pytest.raises(UnavailableError, match=f"member {target} is too small") as caught:
        move(classroom.workspace, classroom.lab, target)
    assert f"pool {POOL}: " in caught.value.details
    assert "900TiB" in caught.value.details
    assert places(classroom, "prod") == {home}
    classroom.read("prod", "s001-web", "echo thesis > /home/student/thesis; echo kept > /etc/kept")
    process = classroom.command("move", classroom.lab, "--to", target, "--yes")
    until(lambda: where(classroom) != {home} or process.poll() is not None, "the first machine's move", 120)
    process.kill()
    assert process.wait() == -9, process.communicate()
    with pytest.raises(UnavailableError, match=f"is being moved to {target}"):
        classroom.provision("prod")
    done = move(classroom.workspace, classroom.lab, target)
    assert (done.environments, done.failed) == (("dev", "prod"), ())
    assert places(classroom, "dev") == places(classroom, "prod") == {target}
    assert recorded(classroom, "dev") == recorded(classroom, "prod") == target
    assert classroom.read("prod", "s001-web", "cat /home/student/thesis /etc/kept") == "thesis\nkept"
    assert plan_only(classroom.workspace, classroom.lab, "prod").actions == ()
    return target


@contextmanager
def reserve(classroom: Classroom, size: str) -> Iterator[None]:
    """Keep so much of the pools free in what follows."""
    path = "environments/dev/platform.yaml"
    before = classroom.repository.sources("HEAD").read(path)
    changed = yaml.safe_dump({**yaml.safe_load(before), "capacity": {"reserve": size}}).encode()
    commit(classroom, {path: changed})
    yield
    commit(classroom, {path: before})


def commit(classroom: Classroom, files: dict[str, bytes]) -> None:
    classroom.repository.commit(files, "Change the reserve")
    classroom.repository.publish()


def where(classroom: Classroom) -> set[str]:
    """Return the members that have machines of the class."""
    return {one["location"] for one in classroom.instances("prod").values()}


def _a_member_that_is_down_is_named(cluster: Cluster, classroom: Classroom, other: Classroom) -> None:
    second = cluster.servers[1]
    there, elsewhere = sorted((classroom, other), key=lambda one: recorded(one, "dev") != second.name)
    second.stop()
    until(lambda: members(cluster.lxd)[second.name].trouble, "LXD's notice of a member that is down")
    with pytest.raises(UnavailableError, match=f"lives on the cluster's member {second.name}, which is down"):
        there.provision("dev")
    with pytest.raises(UnavailableError, match=f"member {second.name} of the cluster is down; nothing was done"):
        move(elsewhere.workspace, elsewhere.lab, second.name)
    elsewhere.provision("dev")
    second.start()
    until(lambda: not members(cluster.lxd)[second.name].trouble, "the member's return")
    there.provision("dev")
    assert places(there, "dev") == {second.name}


def test_a_lab_that_is_larger_than_every_member_is_refused_with_the_numbers(classroom: Classroom) -> None:
    huge = replace(classroom, lab="net101/huge")
    machine = {"type": "webserver", "memory": "128GiB"}
    huge.write_spec({**LONE, "machines": {"web": machine}})
    commit_lab(huge.workspace, huge.lab)
    with pytest.raises(UnavailableError, match="larger than every member") as caught:
        plan_only(huge.workspace, huge.lab, "dev")
    assert "memory: 128GiB promised" in caught.value.details
    assert "OVN" in caught.value.resolution
    assert huge.instances("dev") == {}
