"""What is read of LXD while others change it."""

from practicum.lxd.errors import LxdNotFound
from practicum.lxd.observe import volumes_wherever


class Going:
    """An LXD whose pool `gone` was listed, and taken away before it was read."""

    def get(self, *path, project, recursion):
        assert (project, recursion) == ("class", 1)
        if path[1] == "gone":
            raise LxdNotFound("Storage pool not found")
        return [{"name": "home"}, {"name": "home/before"}]


def test_a_pool_that_somebody_takes_away_meanwhile_has_no_volumes():
    found = volumes_wherever(Going(), ["gone", "there"], "class")
    assert [(pool, volume["name"]) for pool, volume in found] == [("there", "home")]
