"""Address blocks, slots and host numbers: given once, kept for ever, never shared."""

from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

import pytest

from generator.seats.addresses import (
    AddressesExhausted,
    LabAddresses,
    allocate,
    gateway,
    host_room,
    probe_address,
    read_book,
    write_book,
)
from generator.seats.names import student_id

AREA = IPv4Network("10.72.0.0/13")
SMALL = IPv4Network("10.72.0.0/19")
LAB = "net101/firewalls"


def given(students=30, machines=("web",), networks=1, book=None, area=AREA, lab=LAB):
    return allocate(book or {}, area, lab, students, machines, networks)


def test_the_first_lab_takes_the_first_block():
    assert given()[LAB].blocks == (IPv4Network("10.72.0.0/20"),)


@pytest.mark.parametrize(
    ("seat", "network"),
    [
        ("prof", "10.72.0.0/26"),
        ("pilot", "10.72.0.64/26"),
        ("cluster", "10.72.0.128/26"),
        ("s001", "10.72.1.0/26"),
        ("s002", "10.72.1.64/26"),
        ("s060", "10.72.15.192/26"),
        ("s061", "10.72.16.0/26"),
        ("s124", "10.72.31.192/26"),
        ("s125", "10.72.32.0/26"),
    ],
)
def test_a_seat_has_its_slot_for_ever(seat, network):
    assert given(students=125)[LAB].seat(seat) == IPv4Network(network)


@pytest.mark.parametrize(("students", "blocks"), [(0, 1), (1, 1), (60, 1), (61, 2), (124, 2), (125, 3), (9999, 157)])
def test_blocks_grow_with_the_highest_number(students, blocks):
    addresses = given(students=students, area=IPv4Network("10.0.0.0/8"))[LAB]
    assert len(addresses.blocks) == blocks
    if students:
        assert addresses.seat(student_id(students)).subnet_of(addresses.blocks[-1])


def test_a_growing_lab_keeps_what_it_has_and_need_not_be_contiguous():
    book = given(students=60)
    book = allocate(book, AREA, "net101/other", 1, ["a"], 1)
    grown = allocate(book, AREA, LAB, 61, ["web"], 1)
    assert grown[LAB].blocks == (IPv4Network("10.72.0.0/20"), IPv4Network("10.72.32.0/20"))
    assert grown["net101/other"] == book["net101/other"]
    assert grown[LAB].seat("s060") == book[LAB].seat("s060")


def test_a_shrinking_lab_keeps_its_blocks():
    assert allocate(given(students=200), AREA, LAB, 1, ["web"], 1)[LAB].blocks == given(students=200)[LAB].blocks


def test_the_book_that_is_given_is_not_changed():
    book = given()
    before = write_book(book)
    allocate(book, AREA, "net101/other", 500, ["a", "b"], 2)
    assert write_book(book) == before


def test_too_few_blocks_are_told_with_numbers():
    with pytest.raises(AddressesExhausted, match=r"10\.72\.0\.0/19 has 2 free blocks of /20; 3 more are needed"):
        given(students=125, area=SMALL)


def test_one_network_takes_the_whole_seat_and_several_a_28_each():
    addresses = given()[LAB]
    assert addresses.networks("s001", ["lan"]) == {"lan": IPv4Network("10.72.1.0/26")}
    assert addresses.networks("s001", ["lan", "dmz", "c", "d"]) == {
        "lan": IPv4Network("10.72.1.0/28"),
        "dmz": IPv4Network("10.72.1.16/28"),
        "c": IPv4Network("10.72.1.32/28"),
        "d": IPv4Network("10.72.1.48/28"),
    }


@pytest.mark.parametrize("networks", [1, 2, 3, 4])
def test_no_place_of_a_network_is_given_twice(networks):
    machines = [f"m{number}" for number in range(host_room(networks))]
    addresses = given(machines=machines, networks=networks)[LAB]
    for network in addresses.networks("s001", [f"n{index}" for index in range(networks)]).values():
        places = [addresses.address(network, machine) for machine in machines]
        places += [gateway(network), probe_address(network), network.network_address, network.broadcast_address]
        assert len(set(places)) == len(places)
        assert all(place in network for place in places)


def test_gateway_and_probe_stand_at_the_ends():
    assert gateway(IPv4Network("10.72.1.0/26")) == IPv4Address("10.72.1.1")
    assert probe_address(IPv4Network("10.72.1.0/26")) == IPv4Address("10.72.1.62")
    assert probe_address(IPv4Network("10.72.1.16/28")) == IPv4Address("10.72.1.30")


def test_machines_are_numbered_in_the_order_in_which_they_came():
    book = given(machines=["web", "db"])
    assert book[LAB].hosts == {"web": 2, "db": 3}
    later = allocate(book, AREA, LAB, 30, ["app", "db", "web"], 1)
    assert later[LAB].hosts == {"web": 2, "db": 3, "app": 4}


def test_a_machine_that_left_keeps_its_number():
    later = allocate(given(machines=["web", "db"]), AREA, LAB, 30, ["db", "new"], 1)
    assert later[LAB].hosts == {"web": 2, "db": 3, "new": 4}


def moved(hosts, machines, networks):
    book = {LAB: LabAddresses((IPv4Network("10.72.0.0/20"),), hosts)}
    return allocate(book, AREA, LAB, 30, machines, networks)[LAB].hosts


def test_a_lab_that_goes_to_several_networks_numbers_anew_what_does_not_fit_a_28():
    assert moved({"a": 2, "b": 13, "c": 14, "d": 40}, ["a", "b", "c", "d"], 2) == {"a": 2, "b": 13, "c": 3, "d": 4}
    assert moved({"a": 2, "c": 61}, ["a", "c"], 1) == {"a": 2, "c": 61}


def test_machines_that_left_do_not_fill_the_smaller_networks():
    hosts = {f"m{number}": number for number in range(2, 26)}
    kept = [f"m{number}" for number in range(13, 25)]
    found = moved(hosts, kept, 3)
    assert sorted(found) == sorted(kept)
    assert sorted(found.values()) == list(range(2, 14))
    assert found["m13"] == 13


def test_machines_that_left_keep_their_numbers_when_nothing_has_to_move():
    assert moved({"a": 2, "gone": 3, "far": 40}, ["a", "b"], 2) == {"a": 2, "gone": 3, "far": 40, "b": 4}


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {"blocks": ["10.72.0.0/20"]},
        {"blocks": ["10.72.0.0/20"], "hosts": []},
        {"blocks": ["10.72.0.0/21"], "hosts": {}},
        {"blocks": ["10.72.0.1/20"], "hosts": {}},
        {"blocks": "10.72.0.0/20", "hosts": {}},
        {"blocks": ["10.72.0.0/20"], "hosts": {"web": "2"}},
        {"blocks": ["10.72.0.0/20"], "hosts": {"web": 1}},
        {"blocks": ["10.72.0.0/20"], "hosts": {"web": 62}},
        {"blocks": ["10.72.0.0/20"], "hosts": {"web": 2, "db": 2}},
        {"blocks": ["10.72.0.0/20", "10.72.0.0/20"], "hosts": {}},
    ],
)
def test_a_book_that_cannot_be_right_is_not_read(entry):
    with pytest.raises(ValueError, match=r"net101/firewalls|10\.72"):
        read_book({LAB: entry})


@pytest.mark.parametrize(("networks", "room"), [(1, 60), (2, 12), (4, 12)])
def test_a_full_network_is_told(networks, room):
    assert host_room(networks) == room
    assert len(given(machines=[f"m{number}" for number in range(room)], networks=networks)[LAB].hosts) == room
    with pytest.raises(AddressesExhausted, match=f"a network of the seat holds {room} machines"):
        given(machines=[f"m{number}" for number in range(room + 1)], networks=networks)


def test_the_book_is_written_sorted_and_read_back():
    book = allocate(given(machines=["web", "db"]), AREA, "algo/sort", 70, ["z", "a"], 1)
    document = write_book(book)
    assert list(document) == ["algo/sort", LAB]
    assert document["algo/sort"] == {"blocks": ["10.72.16.0/20", "10.72.32.0/20"], "hosts": {"a": 3, "z": 2}}
    assert read_book(document) == book


def test_blocks_of_labs_never_overlap():
    book = {}
    for number, students in enumerate((1, 61, 300, 5)):
        book = allocate(book, AREA, f"net101/lab{number}", students, ["web"], 1)
    blocks = [block for entry in book.values() for block in entry.blocks]
    assert all(not one.overlaps(two) for one, two in combinations(blocks, 2))
    assert all(block.subnet_of(AREA) for block in blocks)


def test_an_address_is_the_network_and_the_machines_number():
    addresses = LabAddresses((IPv4Network("10.72.0.0/20"),), {"web": 7})
    network = addresses.networks("s002", ["lan", "dmz"])["dmz"]
    assert addresses.address(network, "web") == IPv4Address("10.72.1.87")
