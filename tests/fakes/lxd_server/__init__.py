"""A fake LXD: the real client talks to it over a unix socket; what it does not know it refuses with 501.

It keeps LXD 5.0.2's words and habits as far as Practicum meets them; `tests/lxd/test_contract.py` holds the same
assertions against it and the real one.
"""

from lxd_server.faults import Faults
from lxd_server.server import FakeLxd
from lxd_server.world import Latency, World

__all__ = ["FakeLxd", "Faults", "Latency", "World"]
