"""LXD on another host: a whole lab over TLS with a pinned certificate, and what is refused on the way."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from busybox import BUSYBOX
from classroom import LONE, Classroom, inventory
from hosts import POOL, Server, Site, make_certificate, new_site, settings
from lxd_fixtures import OpenClassroom, missing

from practicum.errors import PermissionsError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.endpoints import Endpoint
from practicum.stages.deployment import committed_release
from practicum.stages.doctor import doctor
from practicum.stages.init import init
from practicum.stages.orphans import orphans
from practicum.stages.pipeline import commit_lab
from practicum.stages.provision import plan_only

# Their network's address is one of the host's, which all labs close to students: classes beside them would change.
pytestmark = [pytest.mark.lxd, pytest.mark.root, pytest.mark.alone]


HOST_WALL = "the host is closed to the seat"


@pytest.fixture(scope="module")
def site(lxd: Lxd) -> Iterator[Site]:
    """Another host beside this machine's LXD, which is asked for here so that there is one at all."""
    del lxd
    if not BUSYBOX.exists():
        missing("lxd", "busybox-static is not installed")
    opened = new_site()
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="module")
def server(site: Site) -> Server:
    server = site.add()
    server.listen()
    server.make_pool()
    server.trust(site.client()[0])
    return server


@pytest.fixture
def endpoint(site: Site, server: Server) -> Endpoint:
    return Endpoint(server.url, *site.client(), server.certificate)


def test_an_environment_points_another_way(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_certificate(tmp_path / "other.crt", tmp_path / "other.key")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "other.crt"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert Lxd(endpoint).get()["auth"] == "trusted"


def test_a_server_that_shows_another_certificate_is_refused(site: Site, endpoint: Endpoint, tmp_path: Path) -> None:
    make_certificate(tmp_path / "other.crt", tmp_path / "other.key")
    other = Endpoint(endpoint.address, *site.client(), tmp_path / "other.crt")
    with pytest.raises(PermissionsError, match="another certificate than the pinned one") as caught:
        Lxd(other).get()
    assert caught.value.exit_code == 77
    assert endpoint.fingerprint in caught.value.details
    assert other.fingerprint in caught.value.details


def test_a_server_without_a_pinned_certificate_needs_a_known_signer(site: Site, endpoint: Endpoint) -> None:
    with pytest.raises(PermissionsError, match="signed by nobody whom this machine knows"):
        Lxd(Endpoint(endpoint.address, *site.client())).get()


def test_a_client_that_the_server_does_not_know_is_told_what_to_do(endpoint: Endpoint, tmp_path: Path) -> None:
    certificate, key = tmp_path / "new.crt", tmp_path / "new.key"
    make_certificate(certificate, key)
    with pytest.raises(PermissionsError, match="does not trust the client certificate") as caught:
        Lxd(Endpoint(endpoint.address, certificate, key, endpoint.server_certificate)).get("projects")
    assert f"lxc config trust add {certificate}" in caught.value.resolution


def test_a_host_where_nothing_listens(site: Site, endpoint: Endpoint) -> None:
    nobody = Endpoint(endpoint.address.replace("8443", "8444"), *site.client(), endpoint.server_certificate)
    with pytest.raises(UnavailableError, match=f"no answer from LXD at {nobody.address}"):
        Lxd(nobody).get()


def test_doctor_asks_the_other_host_by_its_api(site: Site, server: Server, tmp_path: Path) -> None:
    repository = init(tmp_path / "labs")
    changes = {}
    for environment in ("dev", "prod"):
        path = f"environments/{environment}/platform.yaml"
        content = yaml.safe_load(repository.sources("HEAD").read(path))
        changes[path] = yaml.safe_dump({**content, "lxd": settings(site, server)}).encode()
    repository.commit(changes, "Use the other host")
    checks = {check.name: check for check in doctor(folder=repository.root, patience=20)}
    assert server.url in checks["LXD prod"].found
    assert checks[f"pool {POOL} prod"].found.startswith("dir, ")
    assert not {"LXD", "pool practicum", "disk", "fs.inotify.max_user_instances"} & checks.keys()
    certificate, key = tmp_path / "new.crt", tmp_path / "new.key"
    make_certificate(certificate, key)
    other = {**settings(site, server), "certificate": str(certificate), "key": str(key)}
    path = "environments/prod/platform.yaml"
    repository.commit({path: yaml.safe_dump({**content, "lxd": other}).encode()}, "A client that is not known")
    (told,) = [check for check in doctor(folder=repository.root, patience=20) if check.name == "LXD prod"]
    assert told.state == "missing"
    assert "does not trust" in told.found


def test_output_of_commands_is_whole(endpoint: Endpoint) -> None:
    """What `pylxd` itself loses over TLS; a read of many answers with one client."""
    lxd = Lxd(endpoint)
    assert {len(lxd.get()["api_extensions"]) for _ in range(20)} == {len(lxd.get()["api_extensions"])}


def test_a_class_on_another_host_than_the_professors_copy(
    open_classroom: OpenClassroom, site: Site, server: Server, endpoint: Endpoint, lxd: Lxd
) -> None:
    """The checkpoint goes from this machine's LXD to the other one, with the volume that students start with."""
    there = inventory(Lxd(endpoint))
    spec = {**LONE, "volumes": {"home": {"size": "32MiB", "mount": "/home/student"}}}
    classroom = open_classroom(spec)
    path = "environments/prod/platform.yaml"
    platform = yaml.safe_load(classroom.repository.sources("HEAD").read(path))
    content = {**platform, "lxd": settings(site, server), "storage": {"local": POOL}}
    classroom.repository.commit({path: yaml.safe_dump(content).encode()}, "The class has a host of its own")
    classroom.repository.publish()

    commit_lab(classroom.workspace, classroom.lab)
    classroom.provision("dev")
    classroom.read("dev", "prof-web", "echo kept > /home/student/from-prof")
    life = classroom.pipeline()
    assert life.delivery is not None
    assert [result for result in life.delivery.results if not result.ok] == []
    (wall,) = [one for one in life.delivery.results if one.seat == "s001" and one.name == HOST_WALL]
    assert "tried from each machine" in wall.detail
    assert not [key for key in classroom.documents() if "-prod-" in key]

    prod = replace(classroom, lxd=Lxd(endpoint))
    assert {one["status"] for one in prod.instances("prod").values()} == {"Running"}
    pins = committed_release(classroom.workspace, classroom.lab, "prod")
    assert pins is not None
    for fingerprint in pins["images"].values():
        assert prod.lxd.get("images", fingerprint)["properties"] == lxd.get("images", fingerprint)["properties"]
    assert prod.read("prod", "s001-web", "cat /home/student/from-prof; stat -c %U /home/student") == "kept\nstudent"
    assert classroom.say("shell", classroom.lab, "s001", "web", "--env", "prod", "--", "hostname").stdout == "web\n"
    assert terminal(classroom, "echo $((6*7))") == 0
    for environment in ("dev", "prod"):
        assert plan_only(classroom.workspace, classroom.lab, environment).actions == ()
    assert orphans(classroom.workspace) == []
    classroom.destroy("dev", "prod")
    assert inventory(Lxd(endpoint)) == there
    assert classroom.documents() == {}


def terminal(classroom: Classroom, typed: str) -> int:
    """Open a terminal in a student's machine, type into it, and see the answer; return the exit code."""
    program = Path(sys.executable).with_name("practicum")
    command = f"{program} -C {classroom.repository.root} shell {classroom.lab} s001 web --env prod --user root"
    done = subprocess.run(
        ["script", "--quiet", "--return", "--command", command, "/dev/null"],
        input=f"{typed}\nexit\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "42" in done.stdout, (done.stdout, done.stderr)
    return done.returncode
