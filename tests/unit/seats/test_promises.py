"""What seats are promised, and in words what does not fit."""

import pytest

from generator.seats.capacity import Promise, excess, promised
from generator.spec.platform import Capacity

GIB = 2**30
SHARED = {
    "profiles": [
        {
            "name": name,
            "config": {"limits.cpu": cpu, "limits.memory": memory},
            "devices": {"root": {"size": "5GiB"}},
        }
        for name, cpu, memory in (("web", "2", "512MiB"), ("db", "1", "1GiB"))
    ]
}


def seat(power="running", machines=("web", "db"), volumes=("1GiB",)):
    return {
        "power": power,
        "instances": [{"profiles": [name]} for name in machines],
        "volumes": [{"config": {"size": size}} for size in volumes],
    }


def test_running_seats_are_promised_their_limits_disks_and_volumes():
    assert promised(SHARED, [seat(), seat()]) == Promise(6, 3 * GIB, 22 * GIB)


def test_stopped_seats_are_promised_nothing():
    assert promised(SHARED, [seat("stopped")]) == Promise()


def test_promises_add_up():
    assert Promise(1, 2, 3) + Promise(10, 20, 30) == Promise(11, 22, 33)


@pytest.mark.parametrize(
    ("capacity", "words"),
    [
        (Capacity(), []),
        (Capacity(cpu=2, memory=GIB, pool=27 * GIB, overcommit=4), []),
        (Capacity(cpu=2, overcommit=1), ["cpu: 6 cores promised, 2 cores × 1 allowed"]),
        (Capacity(memory=GIB, overcommit=2.5), ["memory: 3GiB promised, 1GiB × 2.5 allowed"]),
        (Capacity(pool=26 * GIB), ["pool: 22GiB promised, 26GiB without the reserve of 5GiB allowed"]),
        (Capacity(pool=23 * GIB, reserve=2 * GIB), ["pool: 22GiB promised, 23GiB without the reserve of 2GiB allowed"]),
        (Capacity(pool=20 * GIB, overcommit=50), ["pool: 22GiB promised, 20GiB without the reserve of 5GiB allowed"]),
    ],
)
def test_what_does_not_fit_is_said(capacity, words):
    assert excess(Promise(6, 3 * GIB, 22 * GIB), capacity) == words


def test_exactly_full_is_not_too_much():
    assert excess(Promise(8, 4 * GIB, 4 * GIB), Capacity(2, GIB, 6 * GIB, 4.0, 2 * GIB)) == []


def test_all_that_does_not_fit_is_said_at_once():
    assert len(excess(Promise(8, 4 * GIB, 4 * GIB), Capacity(1, GIB, GIB, 1.0))) == 3
