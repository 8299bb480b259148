"""How long a class takes: Practicum beside the floor of bare clones, a plain `lxc` loop, and Ansible, in one run.

    .venv/bin/python benchmarks/provision.py 10 30 60

For each number of seats it makes a repository in a temporary folder and a lab with one web server a seat, and runs the
command line as an operator does. Everybody starts the same systems: clones of one golden snapshot (Ansible, which
cannot clone a snapshot of another project, the checkpoint's image). Only Practicum makes a bridge and an access list a
seat. The floor is measured before and after: where both differ, the host was busy, and no ratio means much. A machine
is ready when its web server listens. Needs root and a host made ready by `practicum setup`; Ansible is measured when
`ansible-playbook` with `community.general` is on the PATH (the package `ansible` has both).
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cost import PRACTICUM, Cost, cost
from readiness import Measured, watched

from practicum.lxd.client import Lxd
from practicum.lxd.observe import GOLDEN_SNAPSHOT
from practicum.lxd.power import delete
from practicum.parallel import in_parallel
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.init import init
from practicum.stages.workspace import Workspace

LAB = "bench/web"
PROGRAMS = {"lxc loop": "lxc", "ansible": "ansible-playbook"}
SPEC = """\
version: 1
title: Web servers
students: {seats}
machines:
  web: {{type: webserver, memory: 256MiB, disk: 2GiB}}
"""
PLAY = """\
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {{ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"}}
  tasks:
    - community.general.lxd_container:
        name: "{{{{ item }}}}"
        project: {project}
        state: started
        profiles: [{profile}]
        source: {{type: image, mode: pull, fingerprint: {fingerprint}}}
        url: unix:{socket}
      loop: {names}
"""


class Bare:
    """Machines made by other means than Practicum, in the project of the golden machine, with its profile."""

    def __init__(self, workspace: Workspace, deployment: Deployment, seats: int) -> None:
        self.lxd: Lxd = workspace.lxd(deployment.platform)
        self.project: str = deployment.shared["golden_project"]
        self.golden: str = self.lxd.get("instances", project=self.project, recursion=1)[0]["name"]
        self.fingerprint: str = next(iter((deployment.release or {})["images"].values()))
        self.names = [f"bare-{number}" for number in range(seats)]
        self.removal = 0.0  # seconds in which the last ones went, one after the other

    def floor(self) -> None:
        """Clone and start one after the other, in the barest loop over the API."""
        source = {"type": "copy", "source": f"{self.golden}/{GOLDEN_SNAPSHOT}", "project": self.project}
        for name in self.names:
            body = {"name": name, "profiles": [self.golden], "source": source}
            self.lxd.post("instances", body=body, project=self.project)
            self.lxd.put("instances", name, "state", body={"action": "start", "timeout": 60}, project=self.project)

    def lxc_loop(self) -> None:
        """Do the same by LXD's own client, as a shell script does."""
        for name in self.names:
            project = ("--project", self.project)
            subprocess.run(["lxc", "copy", f"{self.golden}/{GOLDEN_SNAPSHOT}", name, *project], check=True)
            subprocess.run(["lxc", "start", name, *project], check=True)

    def ansible(self) -> None:
        """Run a playbook that starts one after the other."""
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as play:
            values = {"project": self.project, "profile": self.golden, "fingerprint": self.fingerprint}
            play.write(PLAY.format(**values, socket=self.lxd.socket, names=self.names))
            play.flush()
            done = subprocess.run(["ansible-playbook", "-i", "localhost,", play.name], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{done.stdout}\n{done.stderr}")

    def measured(self, make: Callable[[], None]) -> Measured:
        """Run one of the ways and remove what it made."""
        try:
            return watched(self.project, self.names, make)
        finally:
            began = time.monotonic()
            for name in self.names:
                delete(self.lxd, self.project, name)
            self.removal = time.monotonic() - began


def command(repository: Path, *arguments: str) -> Cost:
    """Run `practicum` in a repository and return what it cost; the cost of LXD itself is not in it."""
    return cost(repository, PRACTICUM, "--yes", *arguments)


def wipe(lxd: Lxd, deployment: Deployment, *, networks: bool) -> None:
    """Remove the machines of the class, and with `networks` its bridges and access lists; golden machines stay."""
    project = deployment.scope.project
    names = [found["name"] for found in lxd.get("instances", project=project, recursion=1)]
    lxd.put("instances", body={"state": {"action": "stop", "force": True, "timeout": 60}}, project=project)
    in_parallel(lambda name: lxd.delete("instances", name, project=project), names)
    seats = deployment.seats.values() if networks else ()
    for kind, key in (("networks", "networks"), ("network-acls", "acls")):
        in_parallel(
            lambda name, kind=kind: lxd.delete(kind, name), [one["name"] for seat in seats for one in seat[key]]
        )


@contextmanager
def class_of(seats: int, folder: Path, lab: str = SPEC) -> Iterator[Path]:
    """Give the repository of a lab whose class is there, and destroy it at the end. `lab` is its spec."""
    repository = init(folder / f"class-{seats}").root
    spec = repository / f"labs/{LAB}.lab.yaml"
    spec.parent.mkdir()
    spec.write_text(lab.format(seats=seats), encoding="utf-8")
    try:
        print(f"{seats} seats, one web server each, and the professor's")
        tell("pipeline, first", str(command(repository, "pipeline", LAB)))
        yield repository
    finally:
        tell("destroy", str(command(repository, "destroy", LAB, "--env", "all", "--without-export")))


def measure(seats: int, folder: Path) -> None:
    """Measure one class and print the figures."""
    with class_of(seats, folder) as repository:
        workspace = Workspace.open(repository)
        deployment = load_deployment(workspace, LAB, "prod")
        bare = Bare(workspace, deployment, seats + 1)
        names = [one["name"] for seat in deployment.seats.values() for one in seat["instances"]]
        project = deployment.scope.project
        provision = lambda: spent.append(command(repository, "provision", LAB, "--env", "prod"))  # noqa: E731
        spent: list[Cost] = []
        wipe(bare.lxd, deployment, networks=True)
        floor = bare.measured(bare.floor)
        tell("floor", f"{floor}   removed in {bare.removal:.2f} s")
        for name, make in (("lxc loop", bare.lxc_loop), ("ansible", bare.ansible)):
            tell(name, bare.measured(make).beside(floor) if shutil.which(PROGRAMS[name]) else "not installed")
        for name, networks in (("provision", True), ("after warm", False)):
            wipe(bare.lxd, deployment, networks=networks)
            tell(name, watched(project, names, provision).beside(floor))
            tell("", f"itself {spent[-1]}")
        again = bare.measured(bare.floor)
        tell("floor, again", again.beside(floor))
        tell("no-op", str(command(repository, "provision", LAB, "--env", "prod")))
        tell("smoke", str(command(repository, "smoke", LAB, "--env", "prod")))
        gone = command(repository, "destroy", LAB, "--env", "prod", "--without-export")
        tell("destroy prod", f"{gone}   {gone.seconds / bare.removal:.2f} x the bare removal")


def tell(name: str, figures: str) -> None:
    """Print a line of the table."""
    print(f"  {name:18}{figures}", flush=True)


def measure_each(measure: Callable[[int, Path], None], *usual: int) -> None:
    """Measure each number that the command line gives, or else the usual ones, in a folder for their repositories."""
    with tempfile.TemporaryDirectory() as folder:
        for number in map(int, sys.argv[1:] or usual):
            measure(number, Path(folder))


if __name__ == "__main__":
    measure_each(measure, 10, 30, 60)
