"""Backups in a pool: what is sent, what stays, and that a run killed at any change leaves nothing behind it."""

import copy
from datetime import UTC, datetime, timedelta

import pytest
from pool_lxd import Killed, PoolLxd

from practicum.errors import UnavailableError
from practicum.lxd.lock import KEY
from practicum.lxd.volumes import Place, set_keys
from practicum.stages.backup import backup, store_of
from practicum.stages.deployment import load_deployment
from practicum.stages.export import EXPORTED
from practicum.stages.restore import _replace, backups, choose

LAB = "net101/firewalls"
SPEC = "version: 1\ntitle: Firewalls\nstudents: 2\nmachines: {web: {type: webserver}}\n"
NOW = datetime(2030, 9, 14, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Site:
    """A lab with two volumes of students on LXD, of which two backups are kept."""

    def __init__(self, workspace, drivers):
        self.workspace, self.lxd = workspace, PoolLxd(drivers)
        workspace.lxd = lambda platform: self.lxd
        self.deployment = load_deployment(workspace, LAB, "dev")
        self.project, self.copies = self.deployment.scope.project, self.deployment.scope.backup_project
        self.lxd.projects[self.project] = {
            "name": self.project,
            "config": {"user.practicum": self.deployment.shared["marker"]},
        }
        for seat in ("s001", "s002"):
            self.lxd._make((self.project, "practicum", f"{seat}-home"), {"config": {"size": "1GiB"}})

    def write(self, text):
        for (project, _, name), volume in self.lxd.volumes.items():
            if project == self.project:
                volume["data"] = f"{name} {text}"

    def take(self, day):
        (done,) = backup(self.workspace, "dev", [LAB], NOW + day * DAY)
        assert done.error is None, done.error
        return done.manifest

    def state(self):
        """Return content by volume of the backups, and the snapshots of the class."""
        kept = {
            key[2]: (one["data"], sorted(one["snapshots"]))
            for key, one in self.lxd.volumes.items()
            if key[0] == self.copies
        }
        return kept, [sorted(one["snapshots"]) for key, one in self.lxd.volumes.items() if key[0] == self.project]


@pytest.fixture
def site(workspace, deploy):
    deploy(SPEC)
    path = "environments/dev/platform.yaml"
    text = workspace.repository.sources("HEAD").read(path) + b"backup: {pool: second, keep: 2}\n"
    workspace.repository.commit({path: text}, "A second pool")
    return Site(workspace, {"practicum": "btrfs", "second": "btrfs"})


def test_the_first_backup_sends_all_and_the_next_ones_what_changed(site):
    for day in range(4):
        site.write(f"of day {day}")
        site.take(day)
    assert site.lxd.sent == ["whole"] * 2 + ["difference"] * 6
    assert [one["taken"] for one in backups(site.workspace, "dev")] == ["20300916t020000z", "20300917t020000z"]
    kept, snapshots = site.state()
    assert kept["s001-home-20300916t020000z"][0] == "s001-home of day 2"
    assert snapshots == [["backup-20300917t020000z"]] * 2
    assert len(kept) == 2 + 2 * 3


def test_a_volume_that_was_replaced_is_sent_whole_once_and_old_backups_stay(site):
    site.write("old")
    site.take(0)
    del site.lxd.volumes[site.project, "practicum", "s001-home"]
    site.lxd._make((site.project, "practicum", "s001-home"), {"config": {"size": "2GiB"}})
    site.write("new")
    site.take(1)
    site.take(2)
    assert sorted(site.lxd.sent[2:]) == ["difference"] * 3 + ["whole"]
    site.lxd.sent.clear()
    assert site.lxd.get(*Place("", "second", "s001-home").path, project=site.copies)["config"]["size"] == "2GiB"
    (entry, _) = choose(site.workspace, "dev", LAB, "20300915t020000z")["volumes"]
    target = Place(site.project, "practicum", "back")
    store_of(site.lxd, site.deployment.platform).bring(site.lxd, entry, target)
    found = site.lxd.get(*target.path, project=site.project)
    assert (found["data"], found["config"]) == ("s001-home new", {"size": "2GiB"})


def test_what_comes_back_counts_as_exported_by_nobody(site):
    place = Place(site.project, "practicum", "s001-home")
    set_keys(site.lxd, place, {EXPORTED: '{"at": "2030-09-14T01:00:00+00:00", "running": false}'})
    site.write("of the backup")
    manifest = site.take(0)
    site.lxd.delete(*place.path, project=place.project)
    entry = next(one for one in manifest["volumes"] if one["name"] == place.name)
    _replace(site.lxd, store_of(site.lxd, site.deployment.platform), site.deployment, entry, NOW)
    found = site.lxd.get(*place.path, project=place.project)
    assert (found["data"], found["config"].get(EXPORTED, "")) == ("s001-home of the backup", "")


def test_pools_of_different_drivers_need_no_snapshot(site):
    site.lxd.drivers["second"] = "dir"
    for day in range(3):
        site.write(f"of day {day}")
        site.take(day)
    kept, snapshots = site.state()
    assert site.lxd.sent == []
    assert snapshots == [[], []]
    assert kept["s002-home-20300915t020000z"] == ("s002-home of day 1", [])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_change_the_next_run_ends_as_an_undisturbed_one(site, monkeypatch, after):
    monkeypatch.setattr("practicum.stages.backup.VOLUMES_AT_ONCE", 1)
    site.write("first")
    site.take(0)
    site.take(1)
    before = site.lxd.volumes, site.lxd.projects
    number, ended = 0, False
    while not ended:
        number += 1
        site.lxd.volumes, site.lxd.projects = copy.deepcopy(before)
        site.write("second")
        site.lxd.changes, site.lxd.kill = 0, number if after else -number
        try:
            backup(site.workspace, "dev", [LAB], NOW + 2 * DAY)
            ended = True
        except Killed:
            # The lease of a process that is dead holds nobody up.
            for project in site.lxd.projects.values():
                project["config"].pop(KEY, None)
        site.lxd.kill = 0
        newest = site.take(3)["taken"]
        kept, snapshots = site.state()
        moments = {one["taken"] for one in backups(site.workspace, "dev")}
        assert len(moments) == 2
        assert {name.rsplit("-", 1)[1] for name in kept if "-20" in name} == moments, number
        assert kept[f"s001-home-{newest}"][0] == "s001-home second", number
        assert snapshots == [[f"backup-{newest}"]] * 2, number
    assert number > 10


def test_a_pool_that_is_not_there_or_of_a_cluster_is_refused(site):
    del site.lxd.drivers["second"]
    with pytest.raises(UnavailableError, match="LXD has no pool 'second' for backups; nothing was done"):
        backup(site.workspace, "dev", [], NOW)
    site.lxd.drivers["second"], site.lxd.is_clustered = "btrfs", True
    with pytest.raises(UnavailableError, match="a pool of a cluster are not built"):
        backup(site.workspace, "dev", [], NOW)
    assert site.lxd.changes == 0
