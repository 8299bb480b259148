"""Backups of volumes of the fake LXD: a tar archive with `backup/index.yaml` and the files below `backup/volume`."""

import io
import tarfile

from lxd_server.routes import Async, Raw, route
from lxd_server.storage import volume_of
from lxd_server.world import IDMAP, Refusal

SHIFT = int(IDMAP.split('"Hostid":')[1].split(",")[0])


@route("GET", "/storage-pools/*/volumes/custom/*/backups")
def backups(call):
    listed = volume_of(call).get("backups", {})
    return [{"name": name, "expires_at": end} for name, end in listed.items()]


@route("POST", "/storage-pools/*/volumes/custom/*/backups")
def make_backup(call):
    volume_of(call)

    def work():
        found = volume_of(call)
        found["backups"] = {**found.get("backups", {}), call.body["name"]: call.body["expires_at"]}

    return Async(work, "Backing up storage volume")


@route("DELETE", "/storage-pools/*/volumes/custom/*/backups/*")
def delete_backup(call):
    require_backup(call)
    return Async(lambda: volume_of(call)["backups"].pop(call.path[2]), "Removing storage volume backup")


@route("GET", "/storage-pools/*/volumes/custom/*/backups/*/export")
def export(call):
    require_backup(call)
    found, data = volume_of(call), io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        add(archive, "backup/index.yaml", b"name: volume\n", (0, 0, 0o600))
        add(archive, "backup/volume", None, (SHIFT, SHIFT, 0o711))
        for path, (content, uid, gid, mode) in sorted(found["files"].items()):
            add(archive, f"backup/volume{path}", content, (uid + SHIFT, gid + SHIFT, mode))
    return Raw(data.getvalue())


def add(archive, name, content, owner):
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
    if isinstance(content, str):  # a link, to what the text says
        member.type, member.linkname, content = tarfile.SYMTYPE, content, b""
    member.uid, member.gid, member.mode = owner
    member.size = len(content or b"")
    archive.addfile(member, io.BytesIO(content or b""))


def require_backup(call):
    if call.path[2] not in volume_of(call).get("backups", {}):
        raise Refusal(404, "Storage volume backup not found")
