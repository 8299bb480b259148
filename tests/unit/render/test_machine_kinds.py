"""Machines of kind vm: as KubeVirt objects, in LXD's vocabulary, and what no host can do with them."""

import os
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml

from generator.catalogue.load import load_catalogue
from generator.render.definitions import Target, seat_document, shared_document
from generator.render.kubevirt import virtual_machine
from generator.render.needs import needs
from generator.seats.addresses import LabAddresses
from generator.seats.names import Scope
from generator.spec.model import Lab, Machine, Volume
from generator.spec.platform import default_platform
from generator.spec.sources import MappingSources
from practicum.errors import InputError
from practicum.lxd.vocabulary import require_known

GOLDEN = Path(__file__).with_name("virtual_machine.kubevirt.yaml")
CATALOGUE = load_catalogue()
DISK = "docker://registry.example.org/labs/legacy-old@sha256:" + "0" * 64
OLD = Machine("old", CATALOGUE["debian"], "vm", ("lan", "dmz"), 2, 2**30, 6 * 2**30)
WEB = Machine("web", CATALOGUE["webserver"], "container", ("lan",), 1, 2**29, 5 * 2**30)
LAB = Lab("net101", "legacy", "Legacy", "labs/net101/legacy.lab.yaml", (), (OLD, WEB), networks=("lan", "dmz"))
ADDRESSES = LabAddresses((IPv4Network("10.72.0.0/20"),), {"old": 2, "web": 3})
SCOPE = Scope("k3v9t2qa", "prod", "net101", "legacy")
PROD = replace(default_platform("prod"), installation="k3v9t2qa")
TARGET = Target(LAB, PROD, ADDRESSES, CATALOGUE, MappingSources({}))


def test_a_virtual_machine_in_kubevirt_is_exactly_this():
    """`PRACTICUM_WRITE_GOLDEN=1` writes the file anew."""
    made = virtual_machine(LAB, SCOPE, ADDRESSES, "s001", OLD, DISK)
    if os.environ.get("PRACTICUM_WRITE_GOLDEN"):
        GOLDEN.write_text(yaml.safe_dump(made, sort_keys=False))
    assert made == yaml.safe_load(GOLDEN.read_text())


def test_a_stopped_seat_has_halted_virtual_machines():
    assert virtual_machine(LAB, SCOPE, ADDRESSES, "s001", OLD, DISK, running=False)["spec"]["runStrategy"] == "Halted"


def test_every_disk_and_network_that_a_machine_uses_is_declared():
    spec = virtual_machine(LAB, SCOPE, ADDRESSES, "s002", OLD, DISK)["spec"]
    guest = spec["template"]["spec"]
    disks = {volume["dataVolume"]["name"] for volume in guest["volumes"]}
    assert disks == {template["metadata"]["name"] for template in spec["dataVolumeTemplates"]}
    interfaces = [one["name"] for one in guest["domain"]["devices"]["interfaces"]]
    assert interfaces == [one["name"] for one in guest["networks"]] == ["lan", "dmz"]


def test_what_is_rendered_for_lxd_is_in_its_vocabulary():
    seat = seat_document(TARGET, "s001")
    require_known(shared_document(TARGET), [seat])
    assert [entry["type"] for entry in seat["instances"]] == ["virtual-machine", "container"]


def test_a_virtual_machine_must_not_speak_to_qemu_itself():
    shared = shared_document(TARGET)
    shared["profiles"][0]["config"]["raw.qemu"] = "-drive file=/etc/shadow"
    with pytest.raises(InputError, match="no generator wrote") as refused:
        require_known(shared, [seat_document(TARGET, "s001")])
    assert "raw.qemu" in refused.value.details


def test_dev_makes_a_virtual_machine_from_an_image_of_its_own_kind():
    dev = replace(TARGET, platform=replace(default_platform("dev"), installation="k3v9t2qa"))
    sources = [entry["source"] for entry in seat_document(dev, "prof")["instances"]]
    assert sources == [{"image": "debian/vm"}, {"image": "webserver"}]
    assert set(shared_document(dev)["images"]) == {"debian", "debian/vm", "webserver"}


def test_a_virtual_machine_is_nothing_that_has_to_be_waited_for():
    assert needs(LAB, PROD) == []
    assert needs(LAB, replace(PROD, vms="lxd")) == []


@pytest.mark.parametrize(
    ("change", "platform", "key"),
    [
        ({"machines": (replace(OLD, disk=2 * 2**30), WEB)}, {}, "machines.old.disk"),
        ({}, {"vms": "kubevirt"}, "environments/prod/platform.yaml: vms"),
        ({"volumes": (Volume("home", 1, "/srv/h", ("old", "web")),)}, {}, "volumes.home.machines"),
    ],
)
def test_what_no_host_can_do_yet_names_its_key(change, platform, key):
    (need,) = needs(replace(LAB, **change), replace(PROD, **platform))
    assert need.key == key
    assert need.missing


def test_kubevirt_is_no_matter_for_a_lab_of_containers():
    assert needs(replace(LAB, machines=(WEB,)), replace(PROD, vms="kubevirt")) == []


def test_volumes_of_one_kind_are_no_matter():
    volumes = (Volume("home", 1, "/srv/h", ("web",)), Volume("work", 1, "/srv/w", ("old",)))
    assert needs(replace(LAB, volumes=volumes), PROD) == []
