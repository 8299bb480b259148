"""Whole repositories with valid labs, drawn at random: spec, files, roster and platforms."""

from dataclasses import dataclass, replace
from datetime import date

import yaml
from hypothesis import strategies as st

from generator.catalogue.load import load_catalogue
from generator.generate import Edition, generate, read_edition, render
from generator.spec.sources import MappingSources

CATALOGUE = load_catalogue()
TODAY = date(2026, 9, 1)
COURSE = "net101"
LAB = f"{COURSE}/firewalls"
RESERVED_MACHINES = {"probe"}
SECRET = "dbpassword"
PLATFORM = "installation: {}\naddresses: {}\n"


def _names(longest):
    return st.from_regex(rf"[a-z]([a-z0-9-]{{0,{longest - 2}}}[a-z0-9])?", fullmatch=True)


MACHINE_NAMES = _names(40).filter(lambda name: name not in RESERVED_MACHINES)
NETWORK_NAMES, VOLUME_NAMES = _names(20), _names(19).map("v{}".format)
TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Z"]), min_size=1, max_size=40).map("t{}".format)
# Logins that occur nowhere by chance, so that a search for them proves something.
LOGINS = st.from_regex(r"login[A-Za-z0-9._@+-]{8,12}", fullmatch=True)
SIZES = st.builds("{}{}".format, st.integers(1, 4), st.sampled_from(["GiB", "TiB"]))
ALLOWED = st.builds(
    lambda place, ports: {**place, **ports},
    st.sampled_from(
        [{"cidr": "192.0.2.0/24"}, {"cidr": "2001:db8::/32"}, {"host": "deb.debian.org"}, {"host": "192.0.2.1"}]
    ),
    st.sampled_from([{}, {"ports": [443]}, {"ports": [80, 443]}]),
)
POLICIES = st.sampled_from(["none", "full"]) | st.lists(ALLOWED, min_size=1, max_size=3, unique_by=str)
# A template's own text: everything but what Jinja gives a meaning.
TEMPLATES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="{}%#"), max_size=60).map(
    lambda text: text + "{{ student.login }} {{ student.id }} {{ seat.addresses }} {{ secret('" + SECRET + "') }}\n"
)


def errors(edition):
    """Return what is wrong; a warning, such as a script without its first line, hinders nothing."""
    return [problem for problem in edition.diagnostics if problem.severity == "error"]


@dataclass(frozen=True)
class Repository:
    """A repository in memory with one lab or several; `logins` are the roster of the first."""

    content: dict[str, bytes]
    document: dict
    logins: tuple[str, ...] = ()

    @property
    def sources(self):
        return MappingSources(self.content)

    def edition(self, *labs, today=TODAY) -> Edition:
        return read_edition(self.sources, CATALOGUE, labs or (LAB,), today)

    def generated(self, today=TODAY) -> "Repository":
        """Return the repository with everything generated written into it."""
        edition = self.edition(today=today)
        assert errors(edition) == []
        content = {**self.content, **generate(edition)}
        return replace(self, content={path: data for path, data in content.items() if data is not None})

    def edited(self, document) -> "Repository":
        """Return the repository with another spec of the same lab."""
        return replace(self, document=document, content={**self.content, **spec(document)})

    def with_roster(self, rows) -> "Repository":
        """Return the repository with another roster; rows are (login, name, email, group)."""
        content = {**self.content, **roster(rows)}
        return replace(self, content=content, logins=tuple(row[0] for row in rows)).edited(
            {**self.document, "students": "students.csv"}
        )

    def prod(self, lab=LAB):
        """Return prod's tree of a lab."""
        edition = self.edition(lab)
        return render(edition, edition.labs[0], "prod")


class _Quoted(yaml.SafeDumper):
    """Writes every text in double quotes: PyYAML's YAML 1.1 would leave texts bare that are numbers in YAML 1.2."""


_Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def spec(document, lab=LAB):
    """Return a spec by its path."""
    text = yaml.dump(document, Dumper=_Quoted, sort_keys=False, allow_unicode=True, width=1000)
    return {f"labs/{lab}.lab.yaml": text.encode()}


def roster(rows):
    """Return a roster by its path."""
    lines = ["login,name,email,group", *(",".join(row) for row in rows)]
    return {f"labs/{COURSE}/students.csv": ("\n".join(lines) + "\n").encode()}


def rows_of(logins):
    """Return a roster's rows in which every cell says whose it is."""
    return [(login, f"Name of {login}", f"{login}@example.org", "group-a") for login in logins]


@st.composite
def machines(draw, networks, files):
    """Draw the machines of a lab."""
    drawn = {}
    for name in draw(st.lists(MACHINE_NAMES, min_size=1, max_size=5, unique=True)):
        entry = {"type": draw(st.sampled_from(["debian", "webserver", "database", "desktop"]))}
        entry |= draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "cpu": st.integers(1, 8),
                    "memory": SIZES,
                    "disk": SIZES,
                    "kind": st.sampled_from(["container", "vm"]),
                    "forward": st.booleans(),
                    "packages": st.lists(st.sampled_from(["nftables", "curl", "vim"]), unique=True),
                    "keep": st.lists(st.sampled_from(["/etc/nftables.conf", "/var/www"]), unique=True),
                    "run": st.lists(st.sampled_from([path for path in files if path.endswith(".sh")]), max_size=2),
                    "setup": st.lists(st.sampled_from(list(files)), max_size=2),
                    "files": st.lists(_file(files), max_size=3, unique_by=lambda file: file["to"]),
                },
            )
        )
        if networks:
            entry["connect"] = draw(st.lists(st.sampled_from(networks), min_size=1, unique=True))
        drawn[name] = entry
    return drawn


def _file(files):
    own = st.fixed_dictionaries(
        {"from": st.sampled_from(list(files)), "to": st.sampled_from(["/srv/a", "/srv/b c", "/root/ü"])},
        optional={"mode": st.sampled_from(["0644", "755", "4755"])},
    )
    large = st.just({"from": "data:imdb.dump", "to": "/srv/imdb.dump", "sha256": "ab" * 32})
    return own | large


@st.composite
def volumes(draw, names):
    """Draw volumes, each at a place of its own."""
    found = {}
    for number, name in enumerate(draw(st.lists(VOLUME_NAMES, max_size=3, unique=True))):
        entry = draw(
            st.fixed_dictionaries({}, optional={"size": SIZES, "seed": st.sampled_from(["checkpoint", "empty"])})
        )
        users = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        found[name] = {**entry, "mount": f"/srv/volume{number}", "machines": users}
    return found


@st.composite
def checks(draw, machines, first):
    """Draw checks that the probe or a machine can make."""
    reachable = [name for name, entry in machines.items() if first is None or first in entry["connect"]]
    kinds = [
        st.builds(lambda name, run: {"exec": {"machine": name, "run": run}}, st.sampled_from(list(machines)), TEXT)
    ]
    if reachable:
        ports = st.fixed_dictionaries({"machine": st.sampled_from(reachable), "port": st.integers(1, 65535)})
        kinds += [ports.map(lambda target: {"http": target}), ports.map(lambda target: {"tcp": target})]
    listed = draw(st.lists(st.tuples(TEXT, st.one_of(kinds)), max_size=3, unique_by=lambda pair: pair[0]))
    return [{"name": name, **kind} for name, kind in listed]


@st.composite
def repositories(draw, students=None):
    """Draw a repository with one lab; `students` is a strategy of rosters (lists of logins) or numbers."""
    scripts = {"files/run.sh": b"#!/bin/sh\ntrue\n", "files/role.sh.j2": draw(TEMPLATES).encode()}
    files = {**scripts, "files/page.html.j2": draw(TEMPLATES).encode(), "files/setup.sh": draw(TEXT).encode()}
    networks = draw(st.none() | st.lists(NETWORK_NAMES, min_size=1, max_size=4, unique=True))
    made = draw(machines(networks, files))
    document = {"version": 1, "title": draw(TEXT), "students": 1, "machines": made}
    if networks:
        document["networks"] = {name: {} for name in networks}
    if draw(st.booleans()):
        document["volumes"] = draw(volumes(list(made)))
    if draw(st.booleans()):
        document["checks"] = draw(checks(made, networks[0] if networks else None))
    document |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "description": TEXT,
                "professor": st.just("profada"),
                "network": (
                    st.sampled_from(["none", "full"]) | st.lists(ALLOWED, min_size=1, max_size=3, unique_by=str)
                ).map(lambda policy: {"internet": policy}),
                "checkpoint": st.sampled_from(["manual", "auto"]),
                "update": st.sampled_from(["keep", "rebuild", "manual"]),
                "solution": st.just({next(iter(made)): "files/run.sh"}),
                "schedule": st.just({"due": "2026-12-01T23:59:00+01:00"}),
            },
        )
    )
    content = {f"labs/{COURSE}/{name}": data for name, data in files.items()}
    drawn = draw(students if students is not None else st.integers(1, 5) | rosters())
    if isinstance(drawn, int):
        document["students"] = drawn
        return Repository({**content, **spec(document)}, document)
    return Repository({**content}, document).with_roster(rows_of(drawn))


def rosters(min_size=1, max_size=5):
    """Draw lists of logins; two logins of a roster differ not only in case."""
    return st.lists(LOGINS, min_size=min_size, max_size=max_size, unique_by=str.casefold)
