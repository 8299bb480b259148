"""Volumes in folders of the host: whole or not there, told as LXD tells volumes, reached by their own seat only."""

import io
import os
import shutil
import threading
from copy import deepcopy
from pathlib import Path

import pytest

from practicum.errors import InputError
from practicum.lxd import folders
from practicum.lxd.errors import LxdConflict, LxdError, LxdNotFound
from practicum.lxd.vocabulary import require_known
from practicum.parallel import in_parallel

PROJECTS = {
    "class": "here/prod/net101/fw/-",
    "checkpoints": "here/-/net101/fw/-",
    "golden": "here/prod/net101/fw/golden",
    "escape": "here/../../etc/-",
}


class Lxd:
    """What folders ask of LXD: projects' markers and machines' disks."""

    def __init__(self):
        self.instances = []

    def get(self, *path, project="", recursion=0):
        if path[0] == "projects":
            return {"config": {"user.practicum": PROJECTS[path[1]]}}
        assert (path, recursion) == (("instances",), 1)
        return self.instances


@pytest.fixture
def lxd():
    return Lxd()


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder whose volumes belong to whoever runs the test."""
    subuid = tmp_path / "subuid"
    subuid.write_text(f"somebody:7:9\nroot:{os.geteuid()}:65536\n")
    monkeypatch.setattr(folders, "SUBUID", subuid)
    (tmp_path / "mount").mkdir()
    return tmp_path / "mount"


def at(root, *names):
    return ("storage-pools", str(root), "volumes", "custom", *names)


def make(lxd, root, name, project="class", **config):
    folders.post(lxd, at(root), project, {"name": name, "config": {"size": "1GiB", **config}})
    return root / PROJECTS[project].removesuffix("/-") / name / "work"


def found(lxd, root, *names, project="class", recursion=False):
    return folders.get(lxd, at(root, *names), project, recursion)


def test_a_volume_is_told_as_lxd_tells_it(lxd, root):
    work = make(lxd, root, "s001-home")
    make(lxd, root, "s002-home")
    assert (work.stat().st_uid, work.stat().st_mode & 0o777) == (os.geteuid(), 0o711)
    lxd.instances = [{"name": "s001-web", "devices": {"home": {"type": "disk", "source": str(work)}}}]
    wanted = {
        "name": "s001-home",
        "type": "custom",
        "config": {"size": "1GiB"},
        "used_by": ["/1.0/instances/s001-web?project=class"],
    }
    assert found(lxd, root, "s001-home") == wanted
    assert found(lxd, root) == ["s001-home", "s002-home"]
    assert found(lxd, root, recursion=True)[0] == wanted
    assert found(lxd, root, "s001-home", "backups") == []
    folders.patch(lxd, at(root, "s001-home"), "class", {"config": {"size": "", "user.x": "y"}})
    assert found(lxd, root, "s001-home")["config"] == {"user.x": "y"}
    with pytest.raises(LxdConflict):
        make(lxd, root, "s001-home")


def test_a_copy_and_a_new_name_keep_what_is_in_it(lxd, root):
    work = make(lxd, root, "prof-home")
    (work / "task").write_text("Build a firewall.")
    (work / "link").symlink_to("/etc/shadow")
    source = {"type": "copy", "name": "prof-home", "pool": str(root), "project": "class"}
    folders.post(lxd, at(root), "checkpoints", {"name": "c1-home", "config": {"a": "b"}, "source": source})
    copy = root / "here/-/net101/fw/c1-home/work"
    assert (copy / "task").read_text() == "Build a firewall."
    assert (copy / "link").readlink() == Path("/etc/shadow")
    folders.post(lxd, at(root, "prof-home"), "class", {"name": "prev-prof-home"})
    assert found(lxd, root) == ["prev-prof-home"]
    with pytest.raises(LxdNotFound):
        folders.post(lxd, at(root, "prof-home"), "class", {"name": "other"})
    assert folders.beside(str(work), PROJECTS["checkpoints"], "c1-home") == str(copy)


def test_what_a_killed_run_left_is_no_volume(lxd, root):
    make(lxd, root, "s001-home")
    half = root / "here/prod/net101/fw/.s002-home.partial/work"
    half.mkdir(parents=True)
    assert found(lxd, root) == ["s001-home"]
    make(lxd, root, "s002-home")
    assert not half.exists()
    for name in ("s001-home", "s002-home", "s003-home"):
        folders.delete(lxd, at(root, name), "class")
    assert list(root.iterdir()) == []


def test_volumes_of_one_lab_go_side_by_side(lxd, root):
    """As when a class is destroyed: which of them is the last one, and takes the lab's folder, nobody knows."""
    names = [f"s{number:03}-home" for number in range(1, 5)]
    for _ in range(100):
        for name in names:
            make(lxd, root, name)
        ready = threading.Barrier(len(names))

        def gone(name, ready=ready):
            ready.wait()
            folders.delete(lxd, at(root, name), "class")

        in_parallel(gone, names, len(names))
        assert list(root.iterdir()) == []


def test_an_archive_brings_all_back_on_a_host_that_shifts_ids_alike(lxd, root, monkeypatch):
    work = make(lxd, root, "s001-home", **{"user.practicum": "m"})
    (work / "thesis").write_text("mine")
    (work / "thesis").chmod(0o640)
    data = b"".join(folders.chunks(lxd, "class", str(root), "s001-home"))
    folders.restore(lxd, "class", str(root), "back", io.BytesIO(data))
    again = work.parents[1] / "back" / "work" / "thesis"
    assert (again.read_text(), again.stat().st_mode & 0o777) == ("mine", 0o640)
    assert found(lxd, root, "back")["config"] == {"size": "1GiB", "user.practicum": "m"}
    monkeypatch.setattr(folders, "id_base", lambda: 4_000_000)
    with pytest.raises(LxdError, match="of a host that shifts them otherwise"):
        folders.restore(lxd, "class", str(root), "third", io.BytesIO(data))
    with pytest.raises(LxdError, match="could not be written whole"):
        folders.restore(lxd, "class", str(root), "third", io.BytesIO(data[:700]))
    assert found(lxd, root) == ["back", "s001-home"]


def test_a_folder_that_is_not_there_is_no_pool(lxd, root):
    assert folders.get(lxd, at(root)[:2], "", False)["driver"] == "folder"
    space = folders.get(lxd, (*at(root)[:2], "resources"), "", False)["space"]
    assert space["total"] == shutil.disk_usage(root).total
    with pytest.raises(LxdNotFound):
        folders.get(lxd, at(root / "gone")[:2], "", False)


@pytest.mark.parametrize("project", ["golden", "escape"])
def test_projects_without_volumes_of_seats_have_none(lxd, root, project):
    with pytest.raises(LxdNotFound):
        found(lxd, root, project=project)
    with pytest.raises(LxdNotFound):
        folders.delete(lxd, at(root, "passwd"), project)


SHARED = {"marker": "here/prod/net101/fw/-", "project": {"config": {}}, "profiles": [], "instances": []}
SOURCE = "/mnt/nfs/here/prod/net101/fw/s001-home/work"
SEAT = {
    "seat": "s001",
    "networks": [],
    "volumes": [{"name": "s001-home", "pool": "/mnt/nfs", "config": {}}],
    "instances": [
        {
            "name": "s001-web",
            "config": {},
            "profiles": [],
            "devices": {"home": {"type": "disk", "source": SOURCE, "path": "/home/student"}},
        }
    ],
}


def seat(**changes):
    made = deepcopy(SEAT)
    made["volumes"][0] |= {key: changes[key] for key in ("name", "pool") if key in changes}
    made["instances"][0]["devices"]["home"] |= {key: changes[key] for key in ("source", "raw") if key in changes}
    return made


def test_the_seats_own_folder_below_what_the_platform_offers_is_known():
    require_known(SHARED, [seat()], ["/mnt/nfs"])


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        ({}, []),
        ({}, ["/mnt/other"]),
        ({"source": "/etc"}, ["/mnt/nfs"]),
        ({"source": "/mnt/nfs"}, ["/mnt/nfs"]),
        ({"source": "/mnt/nfs/here/prod/net101/fw/s002-home/work"}, ["/mnt/nfs"]),
        ({"source": SOURCE + "/../../s002-home/work"}, ["/mnt/nfs"]),
        ({"name": "..", "source": "/mnt/nfs/here/prod/net101/fw/../work"}, ["/mnt/nfs"]),
        ({"name": "a/b", "source": "/mnt/nfs/here/prod/net101/fw/a/b/work"}, ["/mnt/nfs"]),
        ({"pool": "/", "source": "/here/prod/net101/fw/s001-home/work"}, ["/mnt/nfs"]),
        ({"raw": "x"}, ["/mnt/nfs"]),
    ],
)
def test_no_other_folder_of_the_host_is(changes, offered):
    with pytest.raises(InputError, match="say what no generator wrote"):
        require_known(SHARED, [seat(**changes)], offered)


def test_a_marker_leads_nowhere_else():
    strange = {**SHARED, "marker": "here/prod/../../-"}
    with pytest.raises(InputError, match="say what no generator wrote"):
        require_known(strange, [seat(source="/mnt/nfs/here/prod/../../s001-home/work")], ["/mnt/nfs"])
