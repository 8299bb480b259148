"""What LXD needs to know of an image: its properties, and templates that give each machine its own identity."""

import io
import tarfile
from collections.abc import Mapping

import yaml


def _from_key(key: str, fallback: str = "") -> str:
    """Return a template that renders a configuration value verbatim, else the fallback.

    LXD renders with pongo2, escaping switched off, and cuts line ends off a value, so each template ends its own
    last line (https://github.com/canonical/lxd, lxd/instance/drivers/driver_lxc.go: templateApplyNow). pongo2 allows
    no line ends in strings, so a fallback of several lines cannot be an argument of config_get.
    """
    return f"""{{% if config_get("{key}", "") %}}{{{{ config_get("{key}", "") }}}}{{% else %}}{fallback}{{% endif %}}
"""


HOSTNAME = """{{ config_get("user.practicum.hostname", container.name) }}
"""
INTERFACES = _from_key(
    "user.practicum.interfaces",
    """\
auto lo
iface lo inet loopback

auto eth0
iface eth0 inet dhcp

source /etc/network/interfaces.d/*""",
)
RESOLV = _from_key("user.practicum.resolv")
HOSTS = _from_key(
    "user.practicum.hosts",
    """\
127.0.0.1 localhost
127.0.1.1 {{ config_get("user.practicum.hostname", container.name) }}
::1 localhost ip6-localhost ip6-loopback""",
)

ONCE = ["create", "copy"]
NAMED = ["create", "copy", "rename"]
# Addresses are the platform's to give: LXD filters any other, so they are set again at each start.
ALWAYS = ["create", "copy", "rename", "start"]

TEMPLATES = {
    "/etc/hostname": ("hostname.tpl", NAMED, HOSTNAME),
    "/etc/hosts": ("hosts.tpl", NAMED, HOSTS),
    "/etc/machine-id": ("machine-id.tpl", ONCE, ""),
    "/etc/network/interfaces": ("interfaces.tpl", ALWAYS, INTERFACES),
    "/etc/resolv.conf": ("resolv.tpl", ALWAYS, RESOLV),
}
# A VM's agent writes them while it boots. LXD renders what is for creation at the first start only, and a VM that was
# killed before its agent ran would never get it: all are for each start. Its id is known to services by then.
VM_TEMPLATES = {path: (name, ALWAYS, text) for path, (name, _, text) in TEMPLATES.items() if path != "/etc/machine-id"}


def metadata_tarball(
    properties: Mapping[str, str], created: int, architecture: str = "x86_64", *, vm: bool = False
) -> bytes:
    """Return the metadata half of a split image; the same arguments give the same bytes.

    `created` is seconds since 1970. Format: LXD documentation, "Image format".
    """
    templates = VM_TEMPLATES if vm else TEMPLATES
    metadata = {
        "architecture": architecture,
        "creation_date": created,
        "properties": dict(sorted(properties.items())),
        "templates": {
            path: {"when": when, "template": name, "create_only": False} for path, (name, when, _) in templates.items()
        },
    }
    members = {"metadata.yaml": yaml.safe_dump(metadata, sort_keys=True)}
    members.update({f"templates/{name}": text for name, _, text in templates.values()})
    return _tar(members)


def _tar(members: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, text in members.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
