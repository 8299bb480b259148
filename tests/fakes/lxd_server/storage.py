"""Pools, custom volumes and images of the fake LXD."""

import hashlib
import io
import tarfile
from email.parser import BytesParser

import yaml

from lxd_server.routes import Async, Raw, route
from lxd_server.server_objects import USED_BY, guarded
from lxd_server.world import NEVER, POOL, Refusal, etag, merged

SMALL = 2**16
IMAGE_SIZE = 2153472


@route("GET", "/storage-pools")
def pools(call):
    return [pool_document()] if call.recursion else [f"/1.0/storage-pools/{POOL}"]


@route("GET", "/storage-pools/*")
def pool(call):
    require_pool(call.path[0])
    return pool_document()


@route("GET", "/storage-pools/*/resources")
def pool_resources(call):
    require_pool(call.path[0])
    return {"space": {"used": 0, "total": 2**40}, "inodes": {"used": 0, "total": 0}}


def pool_document():
    return {"name": POOL, "driver": "btrfs", "status": "Created", "config": {}, "description": ""}


def require_pool(name):
    if name != POOL:
        raise Refusal(404, "Storage pool not found")


def require_space(world):
    """Refuse what needs room on a full pool; in the words of btrfs and rsync below LXD."""
    if world.fill:
        raise Refusal(0, "write /var/lib/lxd/storage-pools/practicum: no space left on device")


@route("GET", "/storage-pools/*/volumes")
def all_volumes(call):
    require_pool(call.path[0])
    listed = [volume_view(call.world, key) for key in sorted(call.world.volumes) if key[0] == call.project]
    for one in call.world.of("instances", call.project):
        listed.append({"type": "container", "name": one["name"], "config": {}, USED_BY: []})
    if call.recursion:
        return listed
    addresses = (f"/1.0/storage-pools/{POOL}/volumes/{one['type']}/{one['name']}" for one in listed)
    return sorted(f"{address}?project={call.project}" for address in addresses)


@route("GET", "/storage-pools/*/volumes/custom")
def volumes(call):
    require_pool(call.path[0])
    keys = sorted(key for key in call.world.volumes if key[0] == call.project)
    if call.recursion:
        return [volume_view(call.world, key) for key in keys]
    return [f"/1.0/storage-pools/{POOL}/volumes/custom/{key[2]}?project={call.project}" for key in keys]


@route("POST", "/storage-pools/*/volumes/custom")
def create_volume(call):
    require_pool(call.path[0])
    world, key = call.world, (call.project, call.path[0], call.body["name"])
    world.project(call.project)
    if key in world.volumes:
        raise Refusal(409, "Volume by that name already exists")
    source = call.body.get("source") or {}
    if not source:
        require_space(world)
        world.volumes[key] = volume_document(world, key, call.body.get("config", {}), {}, (0, 0, 0o711))
        return {}

    def copy():
        origin = (source.get("project", call.project), source["pool"], source["name"])
        if origin not in world.volumes:
            words = f'Storage volume "{origin[2]}" in project "{origin[0]}" of type "custom" does not exist on pool'
            raise Refusal(0, f'Failed generating volume copy config: {words} "{POOL}": Storage volume not found')
        if key in world.volumes:
            raise Refusal(0, "Volume by that name already exists")
        require_space(world)
        found = world.volumes[origin]
        # A copy with a config of its own takes nothing over, a copy without one all.
        config = call.body.get("config") or found["config"]
        world.volumes[key] = volume_document(world, key, config, dict(found["files"]), found["owner"])

    if source["type"] != "copy":
        raise Refusal(501, f"the fake makes no volume from {source['type']}")
    return Async(copy, "Copying storage volume", call.operations.latency.volume)


@route("GET", "/storage-pools/*/volumes/custom/*")
def volume(call):
    call.tag = etag(volume_of(call)["config"])
    return volume_view(call.world, volume_key(call))


@route("PATCH", "/storage-pools/*/volumes/custom/*")
def patch_volume(call):
    found = volume_of(call)
    guarded(call, found["config"])
    found["config"] = merged(found["config"], call.body["config"])
    return {}


@route("POST", "/storage-pools/*/volumes/custom/*")
def rename_volume(call):
    found, key = volume_of(call), volume_key(call)
    users = [one for one in call.world.of("instances", key[0]) if disks_of(one, key)]
    if any(one["status"] == "Running" for one in users):
        raise Refusal(0, "Volume is still in use by running instances")
    new = (*key[:2], call.body["name"])
    if new in call.world.volumes:
        raise Refusal(409, f'Name "{new[2]}" already in use')
    for device in (device for one in users for device in disks_of(one, key)):
        device["source"] = new[2]
    call.world.volumes[new] = {**found, "name": new[2]}
    del call.world.volumes[key]


@route("DELETE", "/storage-pools/*/volumes/custom/*")
def delete_volume(call):
    volume_of(call)
    if volume_view(call.world, volume_key(call))[USED_BY]:
        raise Refusal(400, "The storage volume is still in use")
    del call.world.volumes[volume_key(call)]
    return {}


def volume_key(call):
    return (call.project, call.path[0], call.path[1])


def volume_of(call):
    require_pool(call.path[0])
    if volume_key(call) not in call.world.volumes:
        raise Refusal(404, "Storage pool volume not found")
    return call.world.volumes[volume_key(call)]


def volume_document(world, key, config, files, owner):
    known = {"name": key[2], "type": "custom", "content_type": "filesystem", "description": "", "location": "none"}
    made = {"config": merged({}, config), "project": key[0], "created_at": NEVER}
    return {**known, **made, "files": files, "owner": owner, "born": world.number()}


def disks_of(found, key):
    """Return the devices by which a machine has a volume."""
    return [one for one in found["devices"].values() if (one.get("pool"), one.get("source")) == key[1:]]


def volume_view(world, key):
    """Return a volume as the API tells it."""
    users = [
        f"/1.0/instances/{one['name']}?project={key[0]}" for one in world.of("instances", key[0]) if disks_of(one, key)
    ]
    told = {
        name: value for name, value in world.volumes[key].items() if name not in ("files", "owner", "born", "backups")
    }
    return {**told, USED_BY: users}


# Images, which are the default project's.


@route("GET", "/images")
def images(call):
    prints = sorted(call.world.images)
    return (
        [image_view(call.world.images[one]) for one in prints]
        if call.recursion
        else [f"/1.0/images/{p}" for p in prints]
    )


@route("GET", "/images/*")
def image(call):
    return image_view(image_of(call))


@route("DELETE", "/images/*")
def delete_image(call):
    image_of(call)

    def work():
        if call.path[0] not in call.world.images:
            raise Refusal(0, "Image not found")
        del call.world.images[call.path[0]]

    return Async(work, "Deleting image")


@route("POST", "/images")
def create_image(call):
    if isinstance(call.body, bytes):
        return upload(call)
    source = call.body["source"]
    if source["type"] != "instance":
        raise Refusal(501, f"the fake makes no image from {source['type']}")
    call.world.instance(call.project, source["name"])

    def publish():
        found = call.world.instance(call.project, source["name"])
        if found["status"] == "Running":
            raise Refusal(0, "Cannot export a running instance as an image")
        require_space(call.world)
        made = call.world.add_image(call.body.get("properties", {}), found["files"])
        return {"fingerprint": made, "size": str(IMAGE_SIZE)}

    return Async(
        publish, "Downloading image", call.operations.latency.publish, (call.project, source["name"], "publish")
    )


def upload(call):
    if call.headers["content-type"] == "application/octet-stream":
        return upload_whole(call)
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    parts = {
        p.get_param("name", header="content-disposition"): p for p in BytesParser().parsebytes(head + call.body).walk()
    }
    metadata, rootfs = (parts[name].get_payload(decode=True) for name in ("metadata", "rootfs"))
    with tarfile.open(fileobj=io.BytesIO(metadata)) as tar:
        document = yaml.safe_load(tar.extractfile("metadata.yaml").read())
    fingerprint = hashlib.sha256(metadata + rootfs).hexdigest()

    def work():
        require_space(call.world)
        made = call.world.add_image(document["properties"], small_files(rootfs), fingerprint)
        return {"fingerprint": made, "size": str(len(metadata) + len(rootfs))}

    return Async(work, "Downloading image", call.operations.latency.image)


def upload_whole(call):
    """Take an image in one file, which is given back as it came."""
    with tarfile.open(fileobj=io.BytesIO(call.body)) as tar:
        document = yaml.safe_load(tar.extractfile("metadata.yaml").read())

    def work():
        require_space(call.world)
        made = call.world.add_image(document["properties"], {}, hashlib.sha256(call.body).hexdigest())
        call.world.images[made]["data"] = call.body
        return {"fingerprint": made, "size": str(len(call.body))}

    return Async(work, "Downloading image", call.operations.latency.image)


@route("GET", "/images/*/export")
def export_image(call):
    if "data" not in image_of(call):
        raise Refusal(501, "the fake gives back only images that came in one file")
    return Raw(image_of(call)["data"])


def small_files(rootfs):
    """Return the small files of a tar archive; of a squashfs image none, it is not looked into."""
    found = {}
    if rootfs.startswith(b"hsqs"):
        return found
    with tarfile.open(fileobj=io.BytesIO(rootfs)) as tar:
        for entry in tar:
            if entry.isfile() and entry.size < SMALL:
                data = tar.extractfile(entry).read()
                found["/" + entry.name.lstrip("./")] = (data, entry.uid, entry.gid, entry.mode)
    return found


def image_of(call):
    if call.path[0] not in call.world.images:
        raise Refusal(404, "Image not found")
    return call.world.images[call.path[0]]


def image_view(found):
    known = {"architecture": "x86_64", "type": "container", "public": False, "aliases": [], "created_at": NEVER}
    known |= {"size": IMAGE_SIZE}
    told = {name: value for name, value in found.items() if name not in ("files", "data")}
    return {**known, "last_used_at": NEVER, "uploaded_at": NEVER, **told}
