"""A lab on the fake LXD, its commands as real processes, and states to which both go back."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from lxd_server import FakeLxd, Faults

from generator.catalogue.load import load_catalogue
from practicum.git.repository import Repository
from practicum.lxd.images import image_properties
from practicum.lxd.lock import KEY
from practicum.stages.init import init

LAB = "net101/small"
INSTALLATION = "faultlab"
SPEC = {
    "version": 1,
    "title": "Small",
    "students": 2,
    "update": "manual",
    "machines": {
        "web": {
            "type": "webserver",
            "memory": "64MiB",
            "disk": "256MiB",
            "files": [
                {"from": "files/me.txt.j2", "to": "/etc/me.txt", "mode": "0640"},
                {"from": "files/task.md", "to": "/home/student/task.md"},
            ],
            "run": ["files/prepare.sh"],
            "setup": ["files/role.sh.j2"],
        },
    },
    "volumes": {
        "home": {"size": "32MiB", "mount": "/home/student"},
        "work": {"size": "32MiB", "mount": "/srv/work", "seed": "empty"},
    },
    "checks": [{"name": "page", "http": {"machine": "web", "port": 80}, "wait": "0s"}],
}
FILES = {
    "me.txt.j2": "{{ seat.id }} {{ student.login }}\n",
    "task.md": "Build a firewall.\n",
    "prepare.sh": "#!/bin/sh\necho prepared\n",
    "role.sh.j2": "#!/bin/sh\necho {{ seat.id }}\n",
}
IMAGE = {
    "/home/student/.profile": (b"# from the image\n", 1000, 1000, 0o644),
    "/etc/passwd": (b"student:x:1000:1000::/home/student:/bin/sh\n", 0, 0, 0o644),
}
AREAS = {"dev": "10.64.0.0/13", "prod": "10.72.0.0/13"}
TOKEN = "/thesis.txt"
PACE = ("user.practicum.pace", "user.practicum.pace.replaced")
MADE_UP = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST64"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "COMMIT"),
    (re.compile(r"\b(web|desk)-[0-9a-f]{12}\b"), r"\1-DIGEST12"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+Z][0-9:]*"), "TIME"),
    (re.compile(r"\bc\d+-"), "cN-"),
    (re.compile(r'("(?:checkpoint|release)": )\d+'), r"\1N"),
    (re.compile(r'("seconds": )[0-9.]+'), r"\1N"),
    # A checkpoint that is taken once more after it was proved tells that it changed nothing of that.
    (re.compile(r',\s*"changes": \{\s*"since": \d+,\s*"machines": \{\}\s*\}'), ""),
)


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (a signal is negative) and all that it said."""

    code: int
    words: str


@dataclass(frozen=True)
class Moment:
    """A state of LXD and of git to which a laboratory can go back."""

    world: object
    folder: Path


@dataclass
class Laboratory:
    """One installation: `lxd` is the fake, `root` the checkout, `folder` holds it and its origin."""

    lxd: FakeLxd
    folder: Path
    warm: subprocess.Popen
    moments: dict = field(default_factory=dict)

    @property
    def root(self):
        return self.folder / "site" / "labs"

    @property
    def repository(self):
        return Repository.open(self.root)

    def run(self, *arguments, sure=True, **task):
        """Run the command line in a process of its own, to its end or its death; `sure` answers yes."""
        output = self.folder / "output.txt"
        command = [*(["--yes"] if sure else []), "-C", str(self.root), *arguments]
        document = {"arguments": command, "output": str(output), "root": str(self.folder / "site"), **task}
        self.warm.stdin.write(json.dumps(document) + "\n")
        self.warm.stdin.flush()
        code = json.loads(self.warm.stdout.readline())
        return Ended(code, output.read_text())

    def done(self, *arguments):
        """Run the command line; it must succeed."""
        ended = self.run(*arguments)
        assert ended.code == 0, (ended.code, ended.words)
        return ended

    def keep(self, name):
        """Remember the present state."""
        copy = self.folder / f"moment-{name}"
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-a", self.folder / "site", copy], check=True)
        self.moments[name] = Moment(self.lxd.snapshot(), copy)

    def back(self, name, **fault):
        """Go back to a remembered state, with a fault for what comes."""
        moment = self.moments[name]
        shutil.rmtree(self.folder / "site")
        subprocess.run(["cp", "-a", moment.folder, self.folder / "site"], check=True)
        self.lxd.reset(moment.world, Faults(**fault))

    def back_to_peace(self):
        """End every fault; what stands, stands."""
        self.lxd.faults = Faults()

    def write_spec(self, **changes):
        texts = {f"labs/{LAB}.lab.yaml": yaml.safe_dump({**SPEC, **changes}, sort_keys=False)}
        texts |= {f"labs/net101/files/{name}": text for name, text in FILES.items()}
        self.repository.write({path: text.encode() for path, text in texts.items()})

    def write_thesis(self):
        """Let every student and the professor write something that must never change or go."""
        for key, volume in self.lxd.world.volumes.items():
            if not key[2].startswith("c"):
                volume["files"][TOKEN] = (f"{key} {volume['born']}".encode(), 1000, 1000, 0o600)

    def theses(self):
        """Return what people wrote, by volume, with the volume's identity."""
        volumes = self.lxd.snapshot().volumes.items()
        return {key: (one["born"], one["files"][TOKEN]) for key, one in volumes if TOKEN in one["files"]}

    # What must be equal after a disturbed and an undisturbed run.

    def facts(self):
        """Return LXD's state without times, made-up identities, and the checkpoints, which may be one more."""
        world = self.lxd.snapshot()
        found = {f"project {name}": one for name, one in world.projects.items()}
        found |= {f"acl {name}": one for name, one in world.acls.items()}
        found |= {f"network {name}": one for name, one in world.networks.items()}
        for kind in ("profiles", "instances", "volumes"):
            found |= {f"{kind} {' '.join(key)}": one for key, one in getattr(world, kind).items()}
        found |= {f"image {one['properties'].get('practicum.recipe')}": 1 for one in recipes(world)}
        checkpoints = [key for key in found if key.startswith("volumes ") and re.search(r" c\d+-", key)]
        told = {key: plain(one) for key, one in found.items() if key not in checkpoints}
        return json.loads(made_up(json.dumps(told, sort_keys=True)))

    def intent(self):
        """Return what git holds on main, and by other names whatever is left besides or differs from origin."""
        repository = self.repository
        git = ["git", "-C", str(self.root)]
        tips = subprocess.run([*git, "ls-remote", "origin"], capture_output=True, text=True, check=True).stdout
        refs = dict(reversed(line.split("\t")) for line in tips.splitlines())
        there = sorted(name for name in refs if name.startswith("refs/") and not name.endswith("^{}"))
        named = ("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags")
        here = subprocess.run([*git, *named], capture_output=True, text=True, check=True).stdout.split()
        besides = {
            "(uncommitted)": repository.uncommitted(),
            "(main is on origin)": refs["refs/heads/main"] == repository.head(),
            "(branches)": [name for name in here + there if "/heads/" in name],
            "(tags only here or there)": sorted({name for name in here if "/tags/" in name} ^ {*tags_of(there)}),
            "(left files)": [str(path) for path in self.root.rglob("*.new") if ".git" not in path.parts],
        }
        files = repository.committed("")
        return besides | {path: made_up(data.decode(errors="replace")) for path, data in files.items()}

    def pinned(self):
        """Return the images and volumes of checkpoints that git pins, and those that LXD has."""
        world = self.lxd.snapshot()
        files = self.repository.committed("environments")
        pins = [json.loads(data) for path, data in files.items() if path.endswith("/release.json")]
        pins += [json.loads(text) for text in self.repository.tags(f"release/{LAB}/").values()]
        wanted = {print_ for pin in pins for print_ in (*pin["images"].values(), pin["listing"])}
        wanted |= {volume for pin in pins for volume in pin["volumes"].values()}
        there = {one["fingerprint"] for one in world.images.values() if "practicum.checkpoint" in one["properties"]}
        there |= {key[2] for key in world.volumes if re.match(r"c\d+-", key[2])}
        return wanted, there


def tags_of(refs):
    return [name for name in refs if name.startswith("refs/tags/")]


def recipes(world):
    return [one for one in world.images.values() if "practicum.checkpoint" not in one["properties"]]


def made_up(text):
    for pattern, word in MADE_UP:
        text = pattern.sub(word, text)
    return text


def plain(thing):
    """Return a document without what two runs that did the same make differently."""
    if isinstance(thing, dict):
        kept = {key: plain(value) for key, value in thing.items() if not is_made_up(key)}
        assert KEY not in kept, "a lease is left"
        return {**kept, **({"user.practicum.ready": "yes"} if "user.practicum.ready" in kept else {})}
    if isinstance(thing, (list, tuple)):
        return [plain(value) for value in thing]
    return thing.decode(errors="replace") if isinstance(thing, bytes) else thing


def is_made_up(key):
    # A script may be run once more after a kill: at least once is what is promised. A pace is a measured time.
    return str(key).startswith("volatile.") or key in ("born", "created_at", "ran", *PACE, TOKEN)


def environment():
    """Return a process environment that takes nothing from whoever runs the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRACTICUM_"))}
    names = {f"GIT_{role}_{what}": "ada@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**kept, **names, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "COLUMNS": "200"}


def open_laboratory(folder, stack: ExitStack, **spec):
    """Return a laboratory with a lab that is committed and nothing on LXD but the images of its types."""
    lxd = stack.enter_context(FakeLxd(folder / "lxd.socket"))
    program = [sys.executable, str(Path(__file__).with_name("warm.py"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    warm = stack.enter_context(subprocess.Popen(program, env={**environment(), "HOME": str(folder)}, **pipes))
    stack.callback(warm.stdin.close)
    laboratory = Laboratory(lxd, folder, warm)
    (folder / "site").mkdir()
    init(laboratory.root)
    platform = {"installation": INSTALLATION, "professor_internet": "none", "lxd": {"socket": str(lxd.path)}}
    changes = {
        f"environments/{name}/platform.yaml": yaml.safe_dump({**platform, "addresses": area}).encode()
        for name, area in AREAS.items()
    }
    laboratory.repository.commit(changes, "Settle where the tests work")
    laboratory.repository.publish()
    types = load_catalogue()
    for name in ("debian", "webserver"):
        lxd.world.add_image(image_properties(types[name], INSTALLATION), IMAGE)
    laboratory.write_spec(**spec)
    return laboratory
