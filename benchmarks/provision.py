"""How long a class takes: provision, no-op, destroy, beside the floor of bare clones, in one run.

    .venv/bin/python benchmarks/provision.py 6 30

For each number of seats it makes a repository in a temporary folder and a lab with one web server a seat, and runs the
command line as an operator does. The floor is the same golden snapshot cloned and started by the barest loop over the
API, one thread, without networks, volumes and marks. Needs root and a host made ready by `practicum setup`.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from practicum.lxd.client import Lxd
from practicum.lxd.observe import GOLDEN_SNAPSHOT
from practicum.stages.deployment import load_deployment
from practicum.stages.init import init
from practicum.stages.workspace import Workspace

LAB = "bench/web"
SPEC = """\
version: 1
title: Web servers
students: {seats}
machines:
  web: {{type: webserver, memory: 256MiB, disk: 2GiB}}
"""


@dataclass(frozen=True)
class Cost:
    """Wall and processor seconds of a command, and its peak memory in MiB."""

    seconds: float
    processor: float
    memory: float

    def __str__(self) -> str:
        return f"{self.seconds:7.1f} s wall {self.processor:6.1f} s cpu {self.memory:6.0f} MiB"


def command(repository: Path, *arguments: str) -> Cost:
    """Run `practicum` in a repository and return what it cost; the cost of LXD itself is not in it."""
    program = [str(Path(sys.executable).with_name("practicum")), "--yes", "-C", str(repository), *arguments]
    began = time.monotonic()
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(program)} ended with {process.returncode}")
    return Cost(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def floor(workspace: Workspace, seats: int) -> float:
    """Clone the golden snapshot once a seat and start it, in the barest loop; return seconds."""
    deployment = load_deployment(workspace, LAB, "prod")
    lxd, project = workspace.lxd(deployment.platform), deployment.shared["golden_project"]
    golden = lxd.get("instances", project=project, recursion=1)[0]["name"]
    names = [f"floor-{number}" for number in range(seats)]
    source = {"type": "copy", "source": f"{golden}/{GOLDEN_SNAPSHOT}", "project": project}
    began = time.monotonic()
    for name in names:
        lxd.post("instances", body={"name": name, "profiles": [golden], "source": source}, project=project)
        lxd.put("instances", name, "state", body={"action": "start", "timeout": 60}, project=project)
    seconds = time.monotonic() - began
    _remove(lxd, project, names)
    return seconds


def _remove(lxd: Lxd, project: str, names: list[str]) -> None:
    for name in names:
        body = {"action": "stop", "force": True, "timeout": 30}
        lxd.put("instances", name, "state", body=body, project=project)
        lxd.delete("instances", name, project=project)


def measure(seats: int, folder: Path) -> None:
    """Measure one class and print the figures."""
    repository = init(folder / f"class-{seats}").root
    spec = repository / f"labs/{LAB}.lab.yaml"
    spec.parent.mkdir()
    spec.write_text(SPEC.format(seats=seats), encoding="utf-8")
    try:
        first = command(repository, "pipeline", LAB)
        command(repository, "destroy", LAB, "--env", "prod")
        command(repository, "start", LAB, "--env", "prod")
        bare = floor(Workspace.open(repository), seats + 1)
        command(repository, "destroy", LAB, "--env", "prod")
        again = command(repository, "start", LAB, "--env", "prod")
        noop = command(repository, "provision", LAB, "--env", "prod")
        smoke = command(repository, "smoke", LAB, "--env", "prod")
    finally:
        destroyed = command(repository, "destroy", LAB, "--env", "all")
    print(f"{seats} seats, one web server each, and the professor's")
    for name, cost in (("pipeline, first", first), ("provision", again), ("no-op", noop), ("smoke", smoke)):
        print(f"  {name:18}{cost}")
    print(f"  {'destroy':18}{destroyed}")
    print(f"  {'floor':18}{bare:7.1f} s wall; provision / floor = {again.seconds / bare:.2f}")


def main() -> None:
    """Measure each class that the command line names."""
    with tempfile.TemporaryDirectory() as folder:
        for seats in map(int, sys.argv[1:] or ["6", "30"]):
            measure(seats, Path(folder))


if __name__ == "__main__":
    main()
