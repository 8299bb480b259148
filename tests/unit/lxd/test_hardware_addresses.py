"""MAC addresses: a machine's own ones, and the same in every system that it gets."""

import re

from lxd_model import wanted

from practicum.lxd.instances import hardware_addresses


def test_every_interface_has_its_own_address_and_always_the_same():
    desired = [wanted("dev"), wanted("prod")]
    found = [
        address
        for one in desired
        for seat in one.seats
        for instance in seat.instances
        for address in hardware_addresses(one.project_name, instance).values()
    ]
    nics = [
        device
        for one in desired
        for seat in one.seats
        for instance in seat.instances
        for device in instance.devices.values()
        if device["type"] == "nic"
    ]
    assert len(found) == len(set(found)) == len(nics) > 4
    assert [one for one in found if not re.fullmatch("00:16:3e(:[0-9a-f]{2}){3}", one)] == []
    web = next(instance for seat in desired[1].seats for instance in seat.instances if instance.name == "s001-web")
    assert hardware_addresses("p0-prod-net101-small", web)["volatile.eth0.hwaddr"] == "00:16:3e:ad:85:73"
