"""Pools, custom volumes, snapshots and refreshes of LXD in memory, with its habits that matter to backups."""

import copy
import json

from practicum.lxd.errors import LxdConflict, LxdNotFound


class Killed(BaseException):
    """The end of a run, as SIGKILL would end it."""


class PoolLxd:
    """`sent` says of each copy how much LXD would send; `kill` is the change to die before (-n) or after (n)."""

    is_clustered = False
    address = "memory"

    def __init__(self, drivers):
        self.drivers, self.volumes, self.projects = drivers, {}, {}
        self.sent, self.changes, self.kill = [], 0, 0

    # What every client can.

    def get(self, *path, project="", recursion=0):
        if path[0] == "projects":
            found = list(self.projects.values()) if len(path) == 1 else self._one(self.projects, path[1])
            return copy.deepcopy(found)
        if len(path) < 3:
            return [f"/1.0/storage-pools/{name}" for name in self.drivers] if len(path) == 1 else self._pool(path[1])
        if len(path) == 4:
            return self._listed(project, path[1])
        volume = self._one(self.volumes, (project, path[1], path[4]))
        return [f"/1.0/{name}" for name in volume["snapshots"]] if len(path) > 5 else copy.deepcopy(volume)

    def find(self, *path, project="", **params):
        try:
            return self.get(*path, project=project, **params)
        except LxdNotFound:
            return None

    def get_with_etag(self, *path, project=""):
        found = self.get(*path, project=project)
        return found, json.dumps(found)

    def wait_until_idle(self, project):
        assert project in self.projects

    def post(self, *path, body, project=""):
        self._change(lambda: self._post(path, body, project))

    def patch(self, *path, body, project="", etag=""):
        def change():
            if path[0] == "projects":
                assert etag in ("", json.dumps(self.projects[path[1]]))
                self.projects[path[1]]["config"] = dict(body["config"])
            else:
                self._one(self.volumes, (project, path[1], path[4]))["config"].update(body["config"])

        self._change(change)

    def delete(self, *path, project=""):
        key = (project, path[1], path[4])
        if len(path) > 5:
            self._change(lambda: self.volumes[key]["snapshots"].pop(path[6], None))
        else:
            self._change(lambda: self.volumes.pop(key, None))

    # Its habits.

    def _change(self, change):
        self.changes += 1
        if self.changes == -self.kill:
            raise Killed
        change()
        if self.changes == self.kill:
            raise Killed

    def _post(self, path, body, project):
        if path[0] == "projects":
            self.projects[body["name"]] = copy.deepcopy(body)
        elif len(path) == 5:
            volume = self.volumes.pop((project, path[1], path[4]))
            self.volumes[project, path[1], body["name"]] = {**volume, "name": body["name"]}
        elif len(path) > 5:
            volume = self._one(self.volumes, (project, path[1], path[4]))
            if body["name"] in volume["snapshots"]:
                raise LxdConflict("LXD refused POST", status=409)
            volume["snapshots"][body["name"]] = volume["data"]
        else:
            self._make((project, path[1], body["name"]), body)

    def _make(self, key, body):
        source = body.get("source")
        if source is None or not source.get("refresh"):
            if key in self.volumes:
                raise LxdConflict("LXD refused POST", status=409)
            config = dict(body.get("config", {}))
            self.volumes[key] = {"name": key[2], "config": config, "data": "", "snapshots": {}}
        if source is not None:
            self._copy(source, self._one(self.volumes, key))

    def _copy(self, source, target):
        name, _, snapshot = source["name"].partition("/")
        origin = self._one(self.volumes, (source["project"], source["pool"], name))
        if not source["volume_only"]:
            both, new = (
                origin["snapshots"].keys() & target["snapshots"],
                origin["snapshots"].keys() - target["snapshots"],
            )
            self.sent.append("difference" if both and new else "whole")
            target["snapshots"] = dict(origin["snapshots"])
        target["data"] = origin["snapshots"][snapshot] if snapshot else origin["data"]

    def _listed(self, project, pool):
        found = [volume for key, volume in self.volumes.items() if key[:2] == (project, pool)]
        shots = [{**one, "name": f"{one['name']}/{shot}"} for one in found for shot in one["snapshots"]]
        return copy.deepcopy([*found, *shots])

    def _pool(self, name):
        return {"name": name, "driver": self._one(self.drivers, name)}

    @staticmethod
    def _one(things, key):
        if key not in things:
            raise LxdNotFound("LXD refused GET", status=404)
        return things[key]
