"""Instances of the fake LXD: creation, change, state, snapshots, files, commands."""

import json
from urllib.parse import unquote

from lxd_server import shell
from lxd_server.routes import Async, Raw, route
from lxd_server.server_objects import guarded
from lxd_server.storage import require_space
from lxd_server.world import EPOCH, IDMAP, Refusal, etag, merged

KNOWN_KEYS = ("limits.", "user.", "image.", "volatile.", "raw.lxc", "security.", "boot.", "environment.", "linux.")
HIDDEN = ("files", "snapshots", "ran", "packages")
STOPPED, RUNNING = 102, 103


@route("GET", "/instances")
def instances(call):
    found = sorted(call.world.of("instances", call.project), key=lambda one: one["name"])
    if call.recursion:
        return [view(call.world, call.project, one) for one in found]
    return [f"/1.0/instances/{one['name']}?project={call.project}" for one in found]


@route("GET", "/instances/*")
def instance(call):
    found = call.world.instance(call.project, call.path[0])
    call.tag = etag(changeable(found))
    return view(call.world, call.project, found)


@route("POST", "/instances")
def create(call):
    world, body, project = call.world, call.body, call.project
    world.project(project)
    source, name = body["source"], body["name"]
    for wanted in body.get("profiles") or []:
        if (project, wanted) not in world.profiles:
            raise Refusal(500, f'Requested profile "{wanted}" doesn\'t exist')
    if source["type"] == "copy":
        origin_of(world, project, source)

    def work():
        made = from_copy(world, project, body) if source["type"] == "copy" else from_image(world, project, body)
        check(world, project, made)
        if (project, name) in world.instances:
            words = 'Add instance info to the database: This "instances" entry already exists'
            raise Refusal(0, f"Failed creating instance record: {words}")
        require_space(world)
        world.instances[project, name] = made

    latency = call.operations.latency
    seconds = latency.clone if source["type"] == "copy" else latency.image
    return Async(work, "Creating instance", seconds, (project, name, "create"))


def from_image(world, project, body):
    source = body["source"]
    if source["type"] != "image":
        raise Refusal(501, f"the fake makes no instance from {source['type']}")
    image = world.images.get(source.get("fingerprint", ""))
    if image is None:
        raise Refusal(0, "Image not provided for instance creation")
    properties = {f"image.{key}": value for key, value in image["properties"].items()}
    volatile = {"volatile.base_image": image["fingerprint"], "volatile.apply_template": "create"}
    config = {**properties, **volatile, **body.get("config", {})}
    return document(world, body, config, body.get("devices", {}), image["files"])


def from_copy(world, project, body):
    found = origin_of(world, project, body["source"])
    kept = {key: value for key, value in found["config"].items() if not key.startswith("volatile.")}
    volatile = {"volatile.apply_template": "copy", "volatile.last_state.idmap": IDMAP}
    volatile["volatile.base_image"] = found["config"].get("volatile.base_image", "")
    config = {**kept, **volatile, **body.get("config", {})}
    made = document(world, body, config, {**found["devices"], **body.get("devices", {})}, found["files"])
    return {**made, "packages": list(found["packages"])}


def origin_of(world, project, source):
    name, _, snapshot = source["source"].partition("/")
    where = source.get("project", project)
    if (where, name) not in world.instances:
        raise Refusal(404, f'Failed to fetch instance "{source["source"]}" in project "{where}": Instance not found')
    found = world.instances[where, name]
    return snapshot_of(world, where, name, snapshot) if snapshot else found


def document(world, body, config, devices, files):
    hardware = {
        f"volatile.{name}.hwaddr": f"00:16:3e:{world.number() % 2**24:06x}"
        for name, device in devices.items()
        if device.get("type") == "nic"
    }
    own = {"volatile.uuid": world.identity(), "volatile.idmap.base": "0"}
    described = {
        "name": body["name"],
        "description": "",
        "architecture": "x86_64",
        "type": body.get("type", "container"),
    }
    settings = {
        "config": merged({}, {**hardware, **config, **own}),
        "devices": {name: dict(one) for name, one in devices.items()},
    }
    state = {"status": "Stopped", "ephemeral": False, "stateful": False, "created_at": EPOCH}
    inner = {"files": dict(files), "snapshots": {}, "ran": [], "packages": []}
    return {**described, **settings, "profiles": list(body.get("profiles") or []), **state, **inner}


def check(world, project, found):
    """Refuse what LXD's validation refuses."""
    for key in found["config"]:
        if not key.startswith(KNOWN_KEYS):
            raise Refusal(500, f"Invalid config: Unknown configuration key: {key}")
    devices = expanded(world, project, found)
    failed = "Failed creating instance record: Failed initialising instance: "
    if not any(device.get("path") == "/" for device in devices.values()):
        raise Refusal(0, f"{failed}Invalid devices: Failed detecting root disk device: No root device could be found")
    for name, device in devices.items():
        network = device.get("network")
        if network and network not in world.networks:
            words = f'Failed loading device "{name}": Failed to load network "{network}" for project "default"'
            words = f'Invalid devices: Device validation failed for "{name}": {words}: Network not found'
            raise Refusal(0, failed + words)
        if "source" in device and (project, device["pool"], device["source"]) not in world.volumes:
            words = f'Failed add validation for device "{name}": Failed loading custom volume: Storage volume not found'
            raise Refusal(0, failed + words)


def expanded(world, project, found):
    """Return the devices that profiles and the instance itself give."""
    devices = {}
    for name in found["profiles"]:
        devices |= world.profiles[project, name]["devices"]
    return devices | found["devices"]


@route("PUT", "/instances/*")
def put(call):
    found = call.world.instance(call.project, call.path[0])
    if "restore" in call.body:
        return restore(call, found)
    guarded(call, changeable(found))
    wanted = {key: call.body.get(key, empty) for key, empty in (("config", {}), ("devices", {}), ("profiles", []))}
    new = {**found, **wanted, "config": merged({}, wanted["config"]), "description": call.body.get("description", "")}

    def work():
        check(call.world, call.project, new)
        found.update(new)

    return Async(work, "Updating instance", 0.0, (call.project, call.path[0], "update"))


def restore(call, found):
    """Give a machine the files and settings of a snapshot; LXD stops one that runs, and starts it again."""

    def work():
        taken = snapshot_of(call.world, call.project, call.path[0], call.body["restore"])
        files = {"files": dict(taken["files"])}
        found.update(json.loads(json.dumps({key: taken[key] for key in ("config", "devices", "profiles")})) | files)

    return Async(work, "Restoring snapshot", 0.0, (call.project, call.path[0], "restore"))


@route("PATCH", "/instances/*")
def patch(call):
    found = call.world.instance(call.project, call.path[0])
    guarded(call, changeable(found))
    config = merged(found["config"], call.body.get("config", {}))
    new = {**found, "config": config, "devices": {**found["devices"], **call.body.get("devices", {})}}
    try:
        check(call.world, call.project, new)
    except Refusal as refusal:
        words = refusal.words.removeprefix("Failed creating instance record: Failed initialising instance: ")
        raise Refusal(404 if words.lower().endswith("not found") else refusal.status or 500, words) from None
    found.update(new)
    return {}


@route("POST", "/instances/*")
def rename(call):
    found, name = call.world.instance(call.project, call.path[0]), call.body["name"]
    if (call.project, name) in call.world.instances:
        raise Refusal(409, f'Name "{name}" already in use')

    def work():
        if found["status"] == "Running":
            raise Refusal(0, "Renaming of running instance not allowed")
        del call.world.instances[call.project, call.path[0]]
        call.world.instances[call.project, name] = {**found, "name": name}

    return Async(work, "Renaming instance", 0.0, (call.project, call.path[0], "rename"))


@route("DELETE", "/instances/*")
def delete(call):
    if call.world.instance(call.project, call.path[0])["status"] == "Running":
        raise Refusal(400, "Instance is running")
    busy = (call.project, call.path[0], "delete")

    def work():
        call.world.instance(call.project, call.path[0])
        del call.world.instances[call.project, call.path[0]]

    return Async(work, "Deleting instance", call.operations.latency.delete, busy)


# State.


@route("GET", "/instances/*/state")
def state_of(call):
    found, name = call.world.instance(call.project, call.path[0]), call.path[0]
    # A busy machine has had a minute more of processor time whenever it is looked at.
    call.world.usage[name] = call.world.usage.get(name, 10**9) + (60 * 10**9 if name in call.world.busy else 0)
    usage = call.world.usage[name] if found["status"] == "Running" else 0
    return {"status": found["status"], "cpu": {"usage": usage}}


@route("PUT", "/instances/*/state")
def state(call):
    call.world.instance(call.project, call.path[0])
    action = call.body["action"]
    if action not in ("start", "stop"):
        raise Refusal(501, f"the fake does not {action} instances")
    seconds = getattr(call.operations.latency, action)
    work = {"start": start, "stop": stop}[action]
    words = {"start": "Starting instance", "stop": "Stopping instance"}[action]
    busy = (call.project, call.path[0], action)
    return Async(lambda: work(call.world, call.project, call.path[0]), words, seconds, busy)


@route("PUT", "/instances")
def bulk_state(call):
    action = call.body["state"]["action"]
    work = {"start": start, "stop": stop}[action]
    wanted = "Stopped" if action == "start" else "Running"

    def all_of_them():
        for one in call.world.of("instances", call.project):
            if one["status"] == wanted:
                work(call.world, call.project, one["name"])

    count = sum(one["status"] == wanted for one in call.world.of("instances", call.project))
    return Async(all_of_them, f"{action} instances", getattr(call.operations.latency, action) * count)


def start(world, project, name):
    found = world.instance(project, name)
    if found["status"] == "Running":
        raise Refusal(0, "The instance is already running")
    for device_name, device in found["devices"].items():
        refuse_clash(world, found, device_name, device)
    for device in found["devices"].values():
        if "source" in device:
            shift = {"volatile.idmap.last": IDMAP, "volatile.idmap.next": IDMAP}
            world.volumes[project, device["pool"], device["source"]]["config"] |= shift
    found["config"].pop("volatile.apply_template", None)
    power = "STOPPED" if name in world.dying else "RUNNING"
    found["config"] |= {"volatile.last_state.power": power, "volatile.last_state.idmap": IDMAP}
    found["status"] = "Stopped" if name in world.dying else "Running"
    return {"container_progress": ""}


def refuse_clash(world, found, name, device):
    address = device.get("ipv4.address")
    for other in world.instances.values():
        taken = [
            one.get("ipv4.address") for one in other["devices"].values() if one.get("network") == device.get("network")
        ]
        if address and other is not found and address in taken:
            words = f'IP address "{address}" already defined on another NIC'
            raise Refusal(0, f'Failed start validation for device "{name}": {words}')


def stop(world, project, name):
    found = world.instance(project, name)
    if found["status"] == "Stopped":
        raise Refusal(0, "The instance is already stopped")
    found["status"] = "Stopped"
    found["config"]["volatile.last_state.power"] = "STOPPED"


# Snapshots.


@route("GET", "/instances/*/snapshots")
def all_snapshots(call):
    listed = call.world.instance(call.project, call.path[0])["snapshots"].values()
    return [told(one) for one in listed] if call.recursion else [f"{call.address}/{one['name']}" for one in listed]


@route("GET", "/instances/*/snapshots/*")
def snapshot(call):
    return told(snapshot_of(call.world, call.project, *call.path))


@route("POST", "/instances/*/snapshots")
def create_snapshot(call):
    call.world.instance(call.project, call.path[0])

    def work():
        found, name = call.world.instance(call.project, call.path[0]), call.body["name"]
        if name in found["snapshots"]:
            words = 'Add snapshot info to the database: This "instances_snapshots" entry already exists'
            raise Refusal(0, f'Failed creating instance snapshot record "{name}": {words}')
        require_space(call.world)
        copied = json.loads(json.dumps(told(found)))
        found["snapshots"][name] = {**copied, "name": name, "files": dict(found["files"])}
        found["snapshots"][name]["packages"] = list(found["packages"])

    seconds = call.operations.latency.snapshot
    return Async(work, "Snapshotting instance", seconds, (call.project, call.path[0], "snapshot"))


@route("DELETE", "/instances/*/snapshots/*")
def delete_snapshot(call):
    snapshot_of(call.world, call.project, *call.path)

    def work():
        del call.world.instance(call.project, call.path[0])["snapshots"][call.path[1]]

    return Async(work, "Deleting snapshot", 0.0, (call.project, call.path[0], "delete snapshot"))


def snapshot_of(world, project, name, snapshot_name):
    found = world.instance(project, name)["snapshots"].get(snapshot_name)
    if found is None:
        where = f'snapshot "{snapshot_name}" of instance "{name}" in project "{project}"'
        raise Refusal(404, f"Failed to fetch {where}: InstanceSnapshot not found")
    return found


# Files, commands, console.


@route("POST", "/instances/*/files")
def push(call):
    found = call.world.instance(call.project, call.path[0])
    wanted = unquote(call.query["path"])
    if not shell.has_folder(found, wanted):
        raise Refusal(404, "Not Found")
    files, path = shell.place(call.world, call.project, found, wanted)
    owner = (int(call.headers.get("x-lxd-uid", 0)), int(call.headers.get("x-lxd-gid", 0)))
    files[path] = (call.body, *owner, int(call.headers.get("x-lxd-mode", "0644"), 8))
    return {}


@route("GET", "/instances/*/files")
def pull(call):
    found = call.world.instance(call.project, call.path[0])
    files, path = shell.place(call.world, call.project, found, unquote(call.query["path"]))
    if path not in files:
        raise Refusal(404, "Not Found")
    data, uid, gid, mode = files[path]
    return Raw(data, headers={"X-LXD-mode": f"{mode & 0o777:04o}", "X-LXD-uid": str(uid), "X-LXD-gid": str(gid)})


@route("DELETE", "/instances/*/files")
def delete_file(call):
    found = call.world.instance(call.project, call.path[0])
    files, path = shell.place(call.world, call.project, found, unquote(call.query["path"]))
    if path not in files:
        raise Refusal(404, "Not Found")
    del files[path]
    return {}


@route("POST", "/instances/*/exec")
def run(call):
    found = call.world.instance(call.project, call.path[0])
    if found["status"] != "Running":
        raise Refusal(400, "Instance is not running")
    if not call.body.get("record-output") or call.body.get("interactive") or call.body.get("wait-for-websocket"):
        raise Refusal(501, "the fake records output and has no websockets")
    world, project, name = call.world, call.project, call.path[0]

    def work():
        code, *streams = shell.run(world, project, found, call.body["command"])
        number = world.number()
        logs = {fd: f"exec_{number}.std{kind}" for fd, kind in (("1", "out"), ("2", "err"))}
        world.logs |= {(project, name, log): text for log, text in zip(logs.values(), streams, strict=True)}
        return {"return": code, "output": {fd: f"/1.0/instances/{name}/logs/{log}" for fd, log in logs.items()}}

    return Async(work, "Executing command", call.operations.latency.command)


@route("GET", "/instances/*/logs/*")
def log(call):
    return Raw(call.world.logs[log_key(call)].encode())


@route("DELETE", "/instances/*/logs/*")
def delete_log(call):
    del call.world.logs[log_key(call)]


def log_key(call):
    key = (call.project, *call.path)
    if key not in call.world.logs:
        raise Refusal(404, "Not Found")
    return key


@route("GET", "/instances/*/console")
def console(call):
    call.world.instance(call.project, call.path[0])
    return Raw(b"init: Too many open files\n" if call.path[0] in call.world.dying else b"")


def changeable(found):
    return {key: found[key] for key in ("config", "devices", "profiles", "description")}


def told(found):
    return {key: value for key, value in found.items() if key not in HIDDEN}


def view(world, project, found):
    """Return an instance as the API tells it."""
    code = {"Running": RUNNING, "Stopped": STOPPED}[found["status"]]
    config = {}
    for name in found["profiles"]:
        config |= world.profiles[project, name]["config"]
    both = {"expanded_config": config | found["config"], "expanded_devices": expanded(world, project, found)}
    known = {"status_code": code, "project": project, "location": "none", "last_used_at": EPOCH}
    return {**told(found), **both, **known}
