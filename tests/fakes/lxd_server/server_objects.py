"""The server itself, projects, ACLs, networks and profiles, as LXD 5.0.2 keeps them."""

from ipaddress import ip_network

from lxd_server.routes import route
from lxd_server.world import Refusal, etag, merged

BRIDGE_NAME = 15
USED_BY = "used_by"


@route("GET", "")
def server(call):
    return {
        "api_status": "stable",
        "api_version": "1.0",
        "auth": "trusted",
        "api_extensions": [],
        "environment": {"driver": "lxc"},
    }


def guarded(call, document):
    """Refuse a change of something that changed since it was read."""
    wanted = call.headers.get("if-match", "")
    if wanted and wanted != etag(document):
        raise Refusal(412, f"ETag doesn't match: {etag(document)} vs {wanted}")


# Projects.


@route("GET", "/projects")
def projects(call):
    names = sorted(call.world.projects)
    return [project_view(call.world, one) for one in names] if call.recursion else [f"/1.0/projects/{n}" for n in names]


@route("POST", "/projects")
def create_project(call):
    name = call.body["name"]
    if name in call.world.projects:
        words = 'Failed adding database record: This "projects" entry already exists'
        raise Refusal(409, f'Failed creating project "{name}": {words}')
    config = {"features.images": "true", "features.profiles": "true", **call.body.get("config", {})}
    known = {"name": name, "description": call.body.get("description", ""), "config": merged({}, config)}
    call.world.projects[name] = known
    words = f"Default LXD profile for project {name}"
    call.world.profiles[name, "default"] = {"name": "default", "description": words, "config": {}, "devices": {}}


@route("GET", "/projects/*")
def project(call):
    found = call.world.project(call.path[0])
    call.tag = etag(found)
    return project_view(call.world, call.path[0])


@route("PATCH", "/projects/*")
def patch_project(call):
    found = call.world.project(call.path[0])
    guarded(call, found)
    # LXD 5.0.2 drops every key that it is not sent.
    found["config"] = merged({}, call.body["config"])
    return {}


@route("DELETE", "/projects/*")
def delete_project(call):
    name = call.path[0]
    if name not in call.world.projects:
        raise Refusal(404, f'Fetch project "{name}": Project not found')
    if [user for user in project_users(call.world, name) if not user.endswith(f"/profiles/default?project={name}")]:
        raise Refusal(500, "Only empty projects can be removed")
    del call.world.projects[name]
    del call.world.profiles[name, "default"]


def project_view(world, name):
    return {**world.projects[name], USED_BY: project_users(world, name)}


def project_users(world, name):
    users = [f"/1.0/instances/{key[1]}?project={name}" for key in world.instances if key[0] == name]
    users += [f"/1.0/profiles/{key[1]}?project={name}" for key in world.profiles if key[0] == name]
    volumes = [key for key in world.volumes if key[0] == name]
    return users + [f"/1.0/storage-pools/{pool}/volumes/custom/{one}?project={name}" for _, pool, one in volumes]


# ACLs and networks, which are the default project's.


@route("GET", "/network-acls")
def acls(call):
    names = sorted(call.world.acls)
    return [acl_view(call.world, n) for n in names] if call.recursion else [f"/1.0/network-acls/{n}" for n in names]


@route("POST", "/network-acls")
def create_acl(call):
    name = call.body["name"]
    if name in call.world.acls:
        raise Refusal(400, "The network ACL already exists")
    call.world.acls[name] = acl_document(name, call.body)


@route("GET", "/network-acls/*")
def acl(call):
    call.tag = etag(acl_of(call))
    return acl_view(call.world, call.path[0])


@route("PUT", "/network-acls/*")
def put_acl(call):
    guarded(call, acl_of(call))
    call.world.acls[call.path[0]] = acl_document(call.path[0], call.body)
    return {}


@route("DELETE", "/network-acls/*")
def delete_acl(call):
    acl_of(call)
    if acl_users(call.world, call.path[0]):
        raise Refusal(500, "Cannot delete an ACL that is in use")
    del call.world.acls[call.path[0]]


def acl_of(call):
    if call.path[0] not in call.world.acls:
        raise Refusal(404, "Network ACL not found")
    return call.world.acls[call.path[0]]


def acl_document(name, body):
    for side in ("egress", "ingress"):
        for number, rule in enumerate(body.get(side) or []):
            subjects = [*rule.get("destination", "").split(","), *rule.get("source", "").split(",")]
            for subject in filter(None, subjects):
                check_subject(side, number, subject)
    keys = ("egress", "ingress")
    rules = {side: [merged({}, rule) for rule in body.get(side) or []] for side in keys}
    return {"name": name, "description": body.get("description", ""), "config": body.get("config", {}), **rules}


def check_subject(side, number, subject):
    first, _, last = subject.partition("-")
    try:
        ip_network(first, strict=False)
        ip_network(last or first, strict=False)
    except ValueError:
        raise Refusal(500, f'Invalid {side} rule {number}: Invalid Destination: Invalid subject "{subject}"') from None


def acl_view(world, name):
    return {**world.acls[name], USED_BY: acl_users(world, name)}


def acl_users(world, name):
    return [
        f"/1.0/networks/{network['name']}"
        for network in world.networks.values()
        if name in network["config"].get("security.acls", "").split(",")
    ]


@route("GET", "/networks")
def networks(call):
    names = sorted(call.world.networks)
    return [network_view(call.world, n) for n in names] if call.recursion else [f"/1.0/networks/{n}" for n in names]


@route("POST", "/networks")
def create_network(call):
    name, config = call.body["name"], call.body.get("config", {})
    if name in call.world.networks:
        raise Refusal(400, "The network already exists")
    if len(name) > BRIDGE_NAME:
        raise Refusal(400, f'Invalid network name "{name}": Network interface is too long (maximum 15 characters)')
    check_network(call.world, config)
    kind = {"type": call.body.get("type", "bridge"), "managed": True, "status": "Created", "locations": ["none"]}
    described = {"name": name, "description": call.body.get("description", "")}
    call.world.networks[name] = {**described, **kind, "config": merged({}, config)}


@route("GET", "/networks/*")
def network(call):
    call.tag = etag(network_of(call))
    return network_view(call.world, call.path[0])


@route("GET", "/networks/*/state")
def network_state(call):
    found = network_of(call)
    text = found["config"].get("ipv4.address", "none") if found["managed"] else "203.0.113.9/24"
    host, _, length = text.partition("/")
    address = {"family": "inet", "address": host, "netmask": length, "scope": "global"}
    return {"addresses": [address] if length else [], "state": "up", "type": "broadcast"}


@route("PATCH", "/networks/*")
def patch_network(call):
    found = network_of(call)
    guarded(call, found)
    check_network(call.world, call.body.get("config", {}))
    found["config"] = merged(found["config"], call.body.get("config", {}))
    # LXD 5.0.2 forgets a description that is not repeated.
    found["description"] = call.body.get("description", "")
    return {}


@route("DELETE", "/networks/*")
def delete_network(call):
    if call.path[0] not in call.world.networks:
        raise Refusal(404, "Failed loading network: Network not found")
    if network_view(call.world, call.path[0])[USED_BY]:
        raise Refusal(400, "The network is currently in use")
    del call.world.networks[call.path[0]]


def network_of(call):
    if call.path[0] not in call.world.networks:
        raise Refusal(404, "Network not found")
    return call.world.networks[call.path[0]]


def check_network(world, config):
    if {"ipv4.address", "ipv6.address"} - set(config) and "ipv4.address" in config:
        raise Refusal(501, "the fake invents no addresses: name ipv4.address and ipv6.address")
    for wanted in filter(None, config.get("security.acls", "").split(",")):
        if wanted not in world.acls:
            raise Refusal(500, f'Network ACL "{wanted}" does not exist')


def network_view(world, name):
    users = [
        f"/1.0/instances/{found['name']}?project={project}"
        for (project, _), found in world.instances.items()
        if any(device.get("network") == name for device in found["devices"].values())
    ]
    return {**world.networks[name], USED_BY: users or None}


# Profiles.


@route("GET", "/profiles")
def profiles(call):
    names = sorted(key[1] for key in call.world.profiles if key[0] == call.project)
    if call.recursion:
        return [profile_view(call.world, call.project, name) for name in names]
    return [f"/1.0/profiles/{name}?project={call.project}" for name in names]


@route("POST", "/profiles")
def create_profile(call):
    call.world.project(call.project)
    name = call.body["name"]
    if (call.project, name) in call.world.profiles:
        raise Refusal(500, f'Error inserting "{name}" into database: The profile already exists')
    empty = {"description": "", "config": {}, "devices": {}}
    call.world.profiles[call.project, name] = {**empty, **call.body}


@route("GET", "/profiles/*")
def profile(call):
    call.tag = etag(profile_of(call))
    return profile_view(call.world, call.project, call.path[0])


@route("PUT", "/profiles/*")
def put_profile(call):
    guarded(call, profile_of(call))
    empty = {"name": call.path[0], "description": "", "config": {}, "devices": {}}
    call.world.profiles[call.project, call.path[0]] = {**empty, **call.body}
    return {}


@route("DELETE", "/profiles/*")
def delete_profile(call):
    profile_of(call)
    if profile_view(call.world, call.project, call.path[0])[USED_BY]:
        raise Refusal(500, "Profile is currently in use")
    del call.world.profiles[call.project, call.path[0]]


def profile_of(call):
    key = (call.project, call.path[0])
    if key not in call.world.profiles:
        raise Refusal(404, "Profile not found")
    return call.world.profiles[key]


def profile_view(world, project, name):
    users = [one["name"] for one in world.of("instances", project) if name in one["profiles"]]
    listed = [f"/1.0/instances/{user}?project={project}" for user in users]
    return {**world.profiles[project, name], USED_BY: listed}


@route("GET", "/warnings")
def warnings(call):
    """Return why no virtual machine runs on this host."""
    words = "KVM support is missing (no /dev/kvm)"
    found = {"type": "Instance type not operational", "status": "new", "last_message": words}
    return [found] if call.recursion else ["/1.0/warnings/1"]
