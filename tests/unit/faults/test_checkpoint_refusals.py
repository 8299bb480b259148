"""What a checkpoint refuses, says before, or leaves out: secrets, and what is on LXD and in no definition."""

import json

import pytest
from laboratory import LAB

from practicum.parallel import worker_count

PROJECT_OF = "provisioned"
KEY = ".practicum/secret.key"


@pytest.fixture
def lab(laboratory):
    """The laboratory with the professor's machine made and no checkpoint taken."""
    laboratory.back(PROJECT_OF)
    return laboratory


def professor(lab):
    """Return the key and document of the professor's machine."""
    return next((key, one) for key, one in lab.lxd.world.instances.items() if key[1] == "prof-web")


def attach(lab, name, device):
    """Attach a device to the professor's machine by hand, with the volume that it shows."""
    (project, _), machine = professor(lab)
    machine["devices"][name] = device
    if device.get("pool"):
        like = next(one for key, one in lab.lxd.world.volumes.items() if key[2] == "prof-home")
        lab.lxd.world.volumes[project, device["pool"], device["source"]] = {
            **like,
            "name": device["source"],
            "config": {},
            "files": {"/data": (b"important", 0, 0, 0o644)},
        }


def volume_by_hand(lab):
    attach(lab, "extra", {"type": "disk", "pool": "practicum", "source": "scratch", "path": "/mnt/extra"})


def launch(lab, name="prof-db", marker=None):
    """Make a machine beside the professor's, as somebody with LXD's own command would."""
    (project, _), machine = professor(lab)
    config = {"user.practicum": marker} if marker else {}
    lab.lxd.world.instances[project, name] = {**machine, "name": name, "config": config, "devices": {}, "snapshots": {}}


def images(lab):
    """Return the images that a checkpoint's machines are made from."""
    return [one for one in lab.lxd.world.images.values() if "practicum.machine" in one["properties"]]


def copies(lab):
    return [key for key in lab.lxd.world.volumes if key[2].startswith("c1-")]


@pytest.mark.parametrize("on_volume", [False, True], ids=["system", "volume"])
def test_a_copy_with_the_operators_key_is_refused_and_nothing_of_it_stays(lab, on_volume):
    key = (lab.root / KEY).read_text().strip()
    files, shown = professor(lab)[1]["files"], "/etc/app.conf"
    if on_volume:
        files = next(one["files"] for name, one in lab.lxd.world.volumes.items() if name[2] == "prof-home")
        shown = "/home/student/etc/app.conf"
    files["/etc/app.conf"] = (f"key = {key}\n".encode(), 0, 0, 0o600)
    ended = lab.run("checkpoint", LAB)
    assert ended.code == 1
    assert f"web: {shown} holds the operator's {KEY}" in ended.words
    assert key not in ended.words
    assert (images(lab), copies(lab)) == ([], [])
    assert lab.repository.tags(f"release/{LAB}/") == {}

    # It is the copy that was searched: the professor's machine keeps its file, and without it all is well.
    assert files.pop("/etc/app.conf")[0] == f"key = {key}\n".encode()
    lab.done("checkpoint", LAB)
    assert len(images(lab)) == 1


def test_a_search_that_did_not_end_well_is_no_checkpoint(lab):
    lab.lxd.world.answers["LIST=$1"] = (0, "", "grep: memory exhausted\n")
    ended = lab.run("checkpoint", LAB)
    assert ended.code == 1
    assert "web could not be searched for secrets" in ended.words
    assert "memory exhausted" in ended.words
    assert images(lab) == []


def test_the_list_of_secrets_is_on_no_disk_that_is_published(lab):
    lab.done("checkpoint", LAB)
    (image,) = images(lab)
    key = (lab.root / KEY).read_text().strip().encode()
    assert not any(key in file[0] for file in image["files"].values())
    assert not any(path.startswith("/dev") for path in image["files"])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (launch, "machine prof-db is in no definition"),
        (volume_by_hand, "prof-web: the volume scratch, attached by hand at /mnt/extra: its data"),
        (
            lambda lab: attach(lab, "data", {"type": "disk", "source": "/srv/data", "path": "/mnt/data"}),
            "prof-web: /srv/data of the host, attached by hand at /mnt/data: its data",
        ),
    ],
    ids=["machine", "volume", "disk of the host"],
)
def test_what_students_would_not_get_is_refused_before_anything(lab, make, words):
    make(lab)
    before = lab.facts()
    ended = lab.run("checkpoint", LAB, sure=False)
    assert (ended.code, words in ended.words) == (69, True), ended.words
    assert "nothing was done" in ended.words
    assert f"practicum checkpoint {LAB} --yes" in ended.words
    assert lab.facts() == before


@pytest.mark.parametrize("make", [launch, volume_by_hand], ids=["machine", "volume"])
def test_who_agrees_goes_on_and_is_told_once_more(lab, make):
    make(lab)
    ended = lab.done("checkpoint", LAB)
    assert "students do not get it" in ended.words
    (image,) = images(lab)
    assert not any(path.startswith("/mnt/extra") for path in image["files"])
    assert [key[2] for key in copies(lab)] == ["c1-home", "c1-work"]
    project = professor(lab)[0][0]
    assert (project, "prof-db") in lab.lxd.world.instances or (project, "practicum", "scratch") in lab.lxd.world.volumes


def test_another_difference_is_still_refused(lab):
    volume_by_hand(lab)
    professor(lab)[1]["config"]["security.nesting"] = "true"
    ended = lab.run("checkpoint", LAB)
    assert (ended.code, "changes are due" in ended.words) == (69, True), ended.words


def test_failed_units_are_told_and_are_no_obstacle(lab):
    professor(lab)[1]["files"]["/run/failed-units"] = (b"nginx.service app.timer", 0, 0, 0o644)
    ended = lab.done("checkpoint", LAB)
    assert "failed units, which students get too: nginx.service, app.timer" in ended.words


def test_size_and_packages_are_told(lab):
    professor(lab)[1]["packages"] = ["nginx", "curl"]
    lab.done("checkpoint", LAB)
    shown = [line.split() for line in lab.done("checkpoint", "show", LAB, "1").words.splitlines()]
    assert ["packages", "web", "2"] in shown
    assert ["size", "2MiB"] in shown
    assert "web (2 packages)" in lab.done("checkpoint", "list", LAB).words


def test_a_release_knows_how_long_its_pilot_took_and_so_does_a_plan_of_the_class(lab):
    lab.done("checkpoint", LAB)
    lab.done("promote", LAB)
    release = json.loads((lab.root / f"environments/prod/{LAB}/release.json").read_text())
    assert (release["pilot"]["machines"], release["pilot"]["at_once"]) == (1, worker_count())
    assert 0 <= release["pilot"]["seconds"] < 600
    assert "changes, expected " in lab.done("plan", LAB, "--env", "prod").words
