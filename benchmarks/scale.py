"""A class that no test host holds: memory and time of the provisioner at 1,000 seats, against a fake LXD.

    .venv/bin/python benchmarks/scale.py 1000 0.1

The fake (tests/fakes/lxd_server) takes as long as a real LXD 5.0.2 was measured to take, times the second argument, and
makes bridges one by one as LXD does. The floor is what these times alone add up to: all bridges one after another, or
all clones, starts and marks on as many workers as the provisioner has, whichever is longer. The fake itself needs a
processor, so on few cores the ratio to the floor is an upper bound. Needs no LXD and no root.
"""

import sys
import tempfile
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fakes"))
from cost import PRACTICUM, cost
from lxd_server import FakeLxd, Latency

from generator.catalogue.load import load_catalogue
from practicum.lxd.images import image_properties
from practicum.parallel import worker_count
from practicum.stages.init import init
from practicum.stages.pipeline import commit_lab
from practicum.stages.workspace import Workspace

LAB = "bench/web"
INSTALLATION = "scale"
AREAS = {"dev": "10.64.0.0/13", "prod": "10.72.0.0/13"}
MEMORY_GOAL = 150
SPEC = """\
version: 1
title: Web servers
students: {seats}
machines:
  web: {{type: webserver, memory: 256MiB, disk: 2GiB}}
volumes:
  home: {{size: 64MiB, mount: /home/student}}
"""


def prepare(folder: Path, fake: FakeLxd, seats: int) -> Path:
    """Make a repository whose lab is promoted; return its root."""
    root = init(folder / "labs").root
    workspace = Workspace.open(root)
    platform = {"installation": INSTALLATION, "professor_internet": "none", "lxd": {"socket": str(fake.path)}}
    changes = {
        f"environments/{name}/platform.yaml": yaml.safe_dump({**platform, "addresses": area}).encode()
        for name, area in AREAS.items()
    }
    workspace.repository.commit(changes, "Settle where the benchmark works")
    workspace.repository.write({f"labs/{LAB}.lab.yaml": SPEC.format(seats=seats).encode()})
    types = load_catalogue()
    for name in ("debian", "webserver"):
        fake.world.add_image(image_properties(types[name], INSTALLATION), {})
    commit_lab(workspace, LAB)
    for verb in ("provision", "checkpoint", "promote"):
        cost(root, PRACTICUM, "--yes", verb, LAB)
    return root


def floor(latency: Latency, seats: int) -> float:
    """Return the seconds that LXD's own times add up to."""
    each = latency.acl + latency.volume + latency.clone + latency.start
    return max(seats * latency.network, seats * each / worker_count())


def main() -> None:
    """Measure one class and print the figures; fail when the memory is above its goal."""
    seats, factor = int((sys.argv[1:] or ["1000"])[0]), float((sys.argv[2:] or ["0.1"])[0])
    latency = Latency.measured(factor)
    with tempfile.TemporaryDirectory() as folder, FakeLxd(Path(folder) / "lxd.socket") as fake:
        root = prepare(Path(folder), fake, seats)
        fake.latency = latency
        fake.reset(fake.world)
        print(f"{seats} seats; LXD takes {factor} of its measured times; {worker_count()} workers")
        lowest = floor(latency, seats + 1)
        runs = {"provision": ("provision",), "no-op": ("provision",), "destroy": ("destroy", "--without-export")}
        for name, verb in runs.items():
            calls = len(fake.log)
            spent = cost(root, PRACTICUM, "--yes", *verb, LAB, "--env", "prod")
            ratio = f" wall / floor = {spent.seconds / lowest:.2f}" if name == "provision" else ""
            print(f"  {name:10}{spent} {len(fake.log) - calls:6} changes{ratio}")
            if spent.memory > MEMORY_GOAL:
                raise SystemExit(f"{name} took {spent.memory:.0f} MiB; the goal is {MEMORY_GOAL} MiB")
        print(f"  {'floor':10}{lowest:7.1f} s wall")


if __name__ == "__main__":
    main()
