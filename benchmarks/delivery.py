"""How long students wait when the class gets a new release: Practicum beside the bare steps, in one run.

    .venv/bin/python benchmarks/delivery.py 20

Makes a class with one Debian web server and one volume a seat, changes the professor's copy by hand, takes a
checkpoint, and delivers it. Tells for how long each seat's web server did not answer, what the whole delivery took, and
whether every byte on the volumes is what it was. The floor is what LXD needs for the same without Practicum: stop,
rename, rename, start, until the web server listens, one machine after the other. Needs root and a host made ready by
`practicum setup`.
"""

import statistics
import threading
import time
from pathlib import Path

from provision import LAB, class_of, command, measure_each, tell
from readiness import LOOK_SECONDS, listens

from practicum.lxd.client import Lxd
from practicum.lxd.power import start, stop
from practicum.stages.deployment import load_deployment
from practicum.stages.workspace import Workspace

SPEC = """\
version: 1
title: Web servers
students: {seats}
machines:
  web: {{type: webserver, memory: 256MiB, disk: 2GiB, keep: [/etc/nginx]}}
volumes:
  work: {{size: 256MiB, mount: /srv/notes, machines: [web]}}
"""
WORK = "mkdir -p /srv/notes/db; head -c 1M /dev/urandom > /srv/notes/db/data; echo $(hostname) > /srv/notes/mine; sync"
DIGEST = "cd /srv/notes && find . -type f -exec sha256sum {} + | sort; stat -c '%u:%g %a %n' . db db/data"


class Gaps(threading.Thread):
    """Watches machines, from the host, and tells for how long each one's web server did not listen."""

    def __init__(self, project: str, names: list[str]) -> None:
        super().__init__()
        self.ended = threading.Event()
        self.longest: dict[str, float] = dict.fromkeys(names, 0.0)
        self._project = project

    def run(self) -> None:
        """Look until told that it has ended."""
        since: dict[str, float] = {}
        while not self.ended.wait(LOOK_SECONDS):
            for name in self.longest:
                if listens(self._project, name):
                    began = since.pop(name, None)
                    gap = time.monotonic() - began if began else 0.0
                    self.longest[name] = max(self.longest[name], gap)
                else:
                    since.setdefault(name, time.monotonic())


def floor(lxd: Lxd, project: str, name: str) -> float:
    """Return for how many seconds a machine is gone in the bare steps of a switch, until its web server listens."""
    began = time.monotonic()
    stop(lxd, project, name)
    for before, after in ((name, "bare"), ("bare", name)):
        lxd.post("instances", before, body={"name": after}, project=project)
    start(lxd, project, name)
    while not listens(project, name):
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - began


def measure(seats: int, folder: Path) -> None:
    """Measure one class and print the figures."""
    with class_of(seats, folder, SPEC) as repository:
        workspace = Workspace.open(repository)
        deployment = load_deployment(workspace, LAB, "prod")
        lxd, project = workspace.lxd(deployment.platform), deployment.scope.project
        names = [one["name"] for seat in deployment.seats.values() for one in seat["instances"]]
        students = [name for name in names if name.startswith("s")]
        say = lambda name, script: lxd.run(name, ["sh", "-c", script], project=project).stdout  # noqa: E731
        for name in students:
            say(name, WORK)
        before = {name: say(name, DIGEST) for name in students}
        bare = [floor(lxd, project, name) for name in students[:5]]
        command(repository, "shell", LAB, "prof", "web", "--", "sh", "-c", "echo two > /var/www/html/two.html")
        tell("checkpoint", str(command(repository, "checkpoint", LAB, "-m", "two")))
        command(repository, "promote", LAB)
        watch = Gaps(project, students)
        watch.start()
        spent = command(repository, "deliver", LAB, "--changed", "overwrite")
        watch.ended.set()
        watch.join()
        gaps = sorted(watch.longest.values())
        tell("bare switch", f"{statistics.median(bare):7.2f} s until it listens again, median of {len(bare)}")
        tell("deliver", str(spent))
        cuts = statistics.quantiles(gaps, n=20)
        ratio = statistics.median(gaps) / statistics.median(bare)
        tell("without an answer", f"p50 {cuts[9]:5.2f} s   p95 {cuts[18]:5.2f} s   {ratio:.2f} x floor")
        same = sum(say(name, DIGEST) == before[name] for name in students)
        new = sum("two" in say(name, "cat /var/www/html/two.html") for name in students)
        tell("students' volumes", f"{same} of {seats} as they were; {new} of {seats} have the new system")


if __name__ == "__main__":
    measure_each(measure, 20)
