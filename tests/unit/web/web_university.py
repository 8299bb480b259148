"""A deployed class with a professor, an assistant and students with names, and browsers of each of them."""

import shutil
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from starlette.testclient import TestClient
from visitor import LAB, ORIGIN, OURS, Visitor

from practicum.stages.pipeline import commit_lab, run_pipeline
from practicum.web.app import build_app
from practicum.web.site import Site
from practicum.web.users import User

SPEC = """\
version: 1
title: Small
professor: ada
assistants: [Bo]
students: students.csv
machines:
  web: {type: webserver, memory: 64MiB, disk: 256MiB}
checks:
  - name: telnet is closed
    exec: {machine: web, run: telnet-is-closed}
    when: progress
    points: 2
    hint: Look at the input chain.
  - name: the secret one
    exec: {machine: web, run: secret-one}
    when: progress
    hint: The answer is 42.
    hidden: true
"""
ROSTER = "login,name,group\nmia,Mia Lind,red\nLeo,Leo <b>Fox,blue\n"
OTHER = "version: 1\ntitle: Other\nprofessor: eve\nstudents: 1\nmachines: {web: {type: webserver}}\n"
MIA, LEO = f"/labs/{LAB}/seats/s001", f"/labs/{LAB}/seats/s002"
DAY = 24 * 60 * 60.0


def git(*words, cwd):
    return subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True).stdout


@dataclass
class University:
    """The web page of a repository with a class, and the browsers that are open."""

    site: Site
    browsers: ExitStack = field(default_factory=ExitStack)

    def list(self, spec=SPEC, roster=ROSTER, lab=LAB):
        """Write a lab with its class and another professor's, and who sits where; nothing is on LXD."""
        files = {f"labs/{lab}.lab.yaml": spec, "labs/net101/students.csv": roster, "labs/art1/other.lab.yaml": OTHER}
        workspace = self.site.workspace()
        workspace.repository.commit({path: text.encode() for path, text in files.items()}, "Write a course")
        commit_lab(workspace, lab)

    def found(self):
        """Deploy the lab to its class of two."""
        self.list()
        run_pipeline(self.site.workspace(), LAB, lambda stage: None)

    def keep(self, folder, lxd):
        """Keep all that there is in an empty folder; return the state of LXD."""
        for name in ("labs", "labs.git"):
            shutil.copytree(self.site.folder.with_name(name), folder / name)
        return lxd.snapshot()

    def bring(self, folder, lxd, world):
        """Make all as it was when it was kept: that is many times faster than to deploy a class."""
        here = self.site.folder.parent
        for name in ("labs", "labs.git"):
            shutil.rmtree(here / name)
            shutil.copytree(folder / name, here / name)
        # The address of origin is a path.
        git("remote", "set-url", "origin", str(here / "labs.git"), cwd=here / "labs")
        lxd.reset(world)

    def link(self, login="", lab="", seat="", days=1.0):
        """Return the secret of a personal link."""
        now = time.time()
        return self.site.invitations.give(User(login, lab, seat), now, now + days * DAY)

    def stranger(self):
        """Return a browser in which nobody has signed in."""
        client = TestClient(build_app(self.site), base_url=ORIGIN, follow_redirects=False)
        return Visitor(self.site, self.browsers.enter_context(client))

    def person(self, login="", **numbered):
        """Return the browser of somebody who used their personal link."""
        visitor = self.stranger()
        answer = visitor.client.post("/login", data={"token": self.link(login, **numbered)}, headers=OURS)
        assert answer.status_code == 303, answer.text
        return visitor
