"""A university's repository in a temporary folder, and what its command line said."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from practicum.git.repository import Repository

GOOD = "version: 1\ntitle: Packet filtering\nstudents: 2\nmachines:\n  web: {type: webserver}\n"
PLATFORM = "installation: k3v9t2qa\naddresses: {}\nprofessor_internet: none\nlxd: {{socket: /nonexistent/lxd.socket}}\n"
AREAS = {"dev": "10.64.0.0/13", "prod": "10.72.0.0/13"}


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@dataclass
class University:
    """A GitOps repository with its command line."""

    root: Path
    practicum: Callable[..., Said]

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
        return target

    def lab(self, text=GOOD, name="net101/firewalls", **files):
        """Write a spec; files are relative to its course's folder, `__` stands for a dot in their names."""
        self.write(f"labs/{name}.lab.yaml", text)
        for file, content in files.items():
            self.write(f"labs/{name.split('/')[0]}/{file.replace('__', '.')}", content)

    def commit(self):
        for command in (["add", "--all"], ["commit", "--quiet", "--message", "By hand"]):
            subprocess.run(["git", "-C", str(self.root), *command], check=True)

    def deployed(self, text=GOOD, name="net101/firewalls"):
        """Write a lab, generate, and commit all."""
        self.lab(text, name)
        assert self("generate").code == 0
        self.commit()

    @property
    def head(self):
        return Repository.open(self.root).head()

    def files(self):
        """Return every file outside git's own folder with its bytes."""
        paths = (path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}

    def __call__(self, *arguments):
        return self.practicum("-C", str(self.root), *arguments)
