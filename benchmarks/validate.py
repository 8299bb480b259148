"""How long `practicum validate` takes for 200 labs, beside two floors measured in the same run.

    .venv/bin/python benchmarks/validate.py [LABS] [ROUNDS]

The specs are varied and realistic: rosters, several networks, volumes, checks, per-student files, Kubernetes bases. The
floors are a bare start of Python, and the least that any tool with the same schema does: PyYAML's `safe_load` and
`jsonschema` on the same files. Each figure is the best of ROUNDS whole processes. Target for 200: < 2 s, < 100 MiB.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cost import PRACTICUM, Cost, cost

LABS, ROUNDS = 200, 5
TARGET_SECONDS, TARGET_MEBIBYTES = 2.0, 100.0
FLOOR = """
import json, pathlib, yaml
from jsonschema import Draft202012Validator
check = Draft202012Validator(json.loads(pathlib.Path("schemas/lab.schema.json").read_text()))
for path in pathlib.Path("labs").rglob("*.lab.yaml"):
    assert check.is_valid(yaml.safe_load(path.read_bytes())), path
"""
HEAD = """\
# yaml-language-server: $schema=../../schemas/lab.schema.json
version: 1
title: "{title} {number}"
description: What students of course {number} do, said in a sentence or two.
professor: prof{number}
assistants: [bo{number}, cy{number}]
students: {students}
"""
WEB = """\
machines:
  web:                     # serves the page
    type: webserver
    memory: {memory}MiB
    packages: [nftables, curl]
    files:
      - {{from: files/index.html.j2, to: /var/www/html/index.html}}
      - {{from: files/rules.txt, to: /root/rules.txt, mode: "0600"}}
    run: [files/prepare.sh]
checks:
  - name: the page is there
    http: {{machine: web, port: 80, path: /, status: 200}}
  - name: the student closed telnet
    exec: {{machine: web, run: "nft list ruleset | grep -q 23"}}
    when: progress
    points: {number}
    hint: Look at the input chain.
"""
ROUTED = """\
networks:
  lan: {{}}
  dmz: {{}}
network: {{internet: [{{cidr: 192.0.2.0/24, ports: [80, 443]}}]}}
machines:
  router: {{type: debian, connect: [lan, dmz], forward: true}}
  web: {{type: webserver, connect: [dmz], memory: {memory}MiB, disk: 5GiB}}
  desk: {{type: desktop, connect: [lan], setup: [files/role.sh.j2]}}
volumes:
  home: {{size: 2GiB, mount: /home/student, machines: [desk]}}
checks:
  - {{name: page from the desk, http: {{from: desk, machine: web, port: 80}}, wait: 1m}}
  - {{name: ssh is open, tcp: {{from: desk, machine: web, port: 22}}}}
  - {{name: telnet is closed, exec: {{machine: web, run: "! nc -z localhost 23"}}, when: progress, points: 2}}
"""
DATABASE = """\
machines:
  db:
    type: database
    memory: {memory}MiB
    files: [{{from: "data:films.dump", to: /srv/films.dump, sha256: {checksum}}}]
    run: [files/prepare.sh]
volumes:
  home: {{size: 1GiB, mount: /home/student, machines: [db]}}
  data: {{size: 4GiB, mount: /srv/data, machines: [db], seed: checkpoint}}
checks:
  - {{name: the database answers, tcp: {{machine: db, port: 5432}}}}
update: manual
"""
CLUSTER = """\
kubernetes:
  cluster: lab
  nodes: {{count: auto, cpu: 2, memory: 4GiB}}
  base: k8s/
  quota: {{cpu: 0.5, memory: 512MiB, pods: 5, storage: 1GiB}}
checks:
  - {{name: the app is ready, kubernetes: {{deployment: app, available: 1}}}}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
        - {name: app, image: "nginx:1.27", ports: [{containerPort: 8080}], resources: {limits: {cpu: 9m, memory: 9Mi}}}
"""
FILES = {
    "files/index.html.j2": "<h1>{{ lab.title }}</h1><p>{{ student.login }} at {{ seat.address }}</p>\n",
    "files/role.sh.j2": "#!/bin/sh\necho {{ secret('flag') }} > /root/flag\n",
    "files/rules.txt": "Close every port but 80.\n",
    "files/prepare.sh": "#!/bin/sh\nset -e\nsystemctl enable nginx\n",
    "k8s/kustomization.yaml": "resources: [app.yaml]\n",
    "k8s/app.yaml": DEPLOYMENT,
}
KINDS = {"Web servers": WEB, "Firewalls": ROUTED, "Databases": DATABASE, "Containers": CLUSTER}
COURSES = 10
# A lab takes a /20 in each environment, and the ranges that `init` chooses hold 128 of them.
AREAS = {"dev": "10.0.0.0/11", "prod": "10.32.0.0/11"}


def write_labs(root: Path, count: int) -> None:
    """Write a repository's labs: every second one with a roster of 20 to 60 students, the others with a number."""
    for environment, area in AREAS.items():
        platform = f"installation: benchmark\naddresses: {area}\n"
        write(root / f"environments/{environment}/platform.yaml", platform)
    for path, text in course_files():
        write(root / "labs" / path, text)
    for number in range(count):
        course, (title, body) = f"course{number % COURSES}", list(KINDS.items())[number % len(KINDS)]
        roster = f"group{number}.csv"
        if number // len(KINDS) % 2:
            write(root / "labs" / course / roster, roster_text(number))
        students = roster if number // len(KINDS) % 2 else str(10 + number % 40)
        head = HEAD.format(title=title, number=number, students=students)
        text = head + body.format(number=number, memory=256 + number, checksum=f"a{number:063x}")
        write(root / "labs" / course / f"lab{number}.lab.yaml", text)


def course_files() -> Iterator[tuple[str, str]]:
    """Yield the files that every course has beside its specs."""
    for course in range(COURSES):
        yield from ((f"course{course}/{path}", text) for path, text in FILES.items())


def roster_text(number: int) -> str:
    """Return a roster of 20 to 60 students."""
    rows = (f"s{number}x{row},Student {row},s{row}@example.org,{row % 4}" for row in range(20 + number % 41))
    return "login,name,email,group\n" + "\n".join(rows) + "\n"


def write(path: Path, text: str) -> None:
    """Write a file with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def best(rounds: int, folder: Path, *command: str) -> Cost:
    """Return the cheapest of several runs, so that other work on the machine counts least."""
    return min((cost(folder, *command) for _ in range(rounds)), key=lambda found: found.seconds)


def main() -> None:
    """Measure and print."""
    given = [int(word) for word in sys.argv[1:]]
    count, rounds = (*given, *(LABS, ROUNDS)[len(given) :])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "labs"
        cost(Path(folder), PRACTICUM, "init", str(root))
        write_labs(root, count)
        start = best(rounds, root, sys.executable, "-c", "pass")
        floor = best(rounds, root, sys.executable, "-c", FLOOR)
        whole = best(rounds, root, PRACTICUM, "validate")
    print(f"{count} labs, best of {rounds}")
    print(f"python -c pass            {start}")
    print(f"PyYAML and jsonschema     {floor}")
    print(f"practicum validate        {whole}")
    ratios = [whole.seconds / floor.seconds, whole.processor / floor.processor, whole.memory / floor.memory]
    print("beside the floor          {:6.2f} ×      {:6.2f} ×     {:6.2f} ×".format(*ratios))
    held = whole.seconds < TARGET_SECONDS and whole.memory < TARGET_MEBIBYTES
    print(f"target < {TARGET_SECONDS:g} s and < {TARGET_MEBIBYTES:g} MiB: {'held' if held else 'missed'}")


if __name__ == "__main__":
    main()
