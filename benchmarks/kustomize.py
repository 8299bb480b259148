"""What the Kubernetes part of large classes costs: rendering 1,000 students, and Kustomize over 300 students' shards.

    .venv/bin/python benchmarks/kustomize.py [STUDENTS] [ROUNDS]

The floor of rendering is filling in as many overlays with Jinja, from one compiled template; that of Kustomize is the
same objects as plain text, as a tool without overlays would store them. Each figure is processor time, the best of
ROUNDS. Targets: 1,000 students in <= 2 s; 300 students' shards in <= 3.3 s.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import jinja2

from generator.catalogue.load import load_catalogue
from generator.generate import read_edition, render
from generator.spec.sources import MappingSources

ROOT = Path(__file__).parent.parent
KUBECTL = str(Path(sys.executable).with_name("kubectl"))
LAB = "cloud101/deploy"
BASE = ROOT / "labs" / "_examples" / "k8s"
RENDERED, BUILT, ROUNDS = 1000, 300, 5
TARGET_RENDER, TARGET_BUILD = 2.0, 3.3
SPEC = "version: 1\ntitle: Deploy\nstudents: {}\nkubernetes:\n  base: k8s/\n  nodes: {{count: auto}}\n"
OVERLAY = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {{ namespace }}
resources: [../../base]
patches:
- target: {kind: Namespace}
  patch: |
    - {op: add, path: /metadata/labels/seat, value: {{ seat }}}
"""


def repository(students: int) -> MappingSources:
    """Return a repository with one Kubernetes lab, its base that of the example."""
    files = {f"labs/cloud101/k8s/{path.name}": path.read_bytes() for path in BASE.iterdir()}
    return MappingSources({f"labs/{LAB}.lab.yaml": SPEC.format(students).encode(), **files})


def rendered(students: int = RENDERED) -> dict[str, bytes]:
    """Return prod's Kubernetes files, from the text of the spec on."""
    edition = read_edition(repository(students), load_catalogue(), [LAB], date(2026, 9, 1))
    assert not edition.failed
    tree = render(edition, edition.labs[0], "prod")
    return {path: data for path, data in tree.items() if "/kubernetes/" in path}


def overlays(students: int = RENDERED) -> list[str]:
    """Return as many overlays from one Jinja template: the least that generating them can cost."""
    template = jinja2.Environment(autoescape=False).from_string(OVERLAY)  # noqa: S701  # YAML, not HTML
    return [template.render(namespace=f"prod-{number}", seat=f"s{number:03d}") for number in range(students)]


def seconds(rounds: int, step: Callable[[], object]) -> float:
    """Return the processor time of the cheapest of several runs."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        step()
        found.append(time.process_time() - start)
    return min(found)


def built(folder: Path) -> tuple[float, str]:
    """Return the processor time of one build, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, check=True).stdout.decode()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, printed


def best_build(rounds: int, folders: list[Path]) -> tuple[float, list[str]]:
    """Return the processor time of all folders together, each at its best, and what they printed."""
    runs = [min(built(folder) for _ in range(rounds)) for folder in folders]
    return sum(run[0] for run in runs), [run[1] for run in runs]


def plain_shards(root: Path, printed: list[str]) -> list[Path]:
    """Write what was built as plain manifests, one folder a shard."""
    folders = [root / "plain" / f"{number:02d}" for number in range(len(printed))]
    for folder, text in zip(folders, printed, strict=True):
        folder.mkdir(parents=True)
        (folder / "objects.yaml").write_text(text)
        (folder / "kustomization.yaml").write_text("resources: [objects.yaml]\n")
    return folders


def write(root: Path, files: dict[str, bytes]) -> Path:
    """Write generated files; return the folder of the lab's Kubernetes part."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root / f"environments/prod/{LAB}/kubernetes"


def main() -> None:
    """Measure and print."""
    given = [int(word) for word in sys.argv[1:]]
    students, rounds = (*given, *(BUILT, ROUNDS)[len(given) :])
    cost, floor = seconds(rounds, rendered), seconds(rounds, overlays)
    print(f"rendering {RENDERED} students {cost:7.2f} s   overlays by Jinja alone     {floor:6.3f} s")
    print(f"beside the floor {cost / floor:12.0f} ×   target <= {TARGET_RENDER:g} s: {verdict(cost, TARGET_RENDER)}")
    with tempfile.TemporaryDirectory() as folder:
        lab = write(Path(folder), rendered(students))
        cost, printed = best_build(rounds, sorted((lab / "shards").glob("[0-9]*")))
        floor, _same = best_build(rounds, plain_shards(Path(folder), printed))
    objects = sum(text.count("\nkind: ") + text.startswith("kind: ") for text in printed)
    print(f"{students} students, {len(printed)} shards, {objects} objects")
    print(f"kubectl kustomize       {cost:7.2f} s   the same as plain text      {floor:6.2f} s")
    print(f"beside the floor {cost / floor:12.2f} ×   target <= {TARGET_BUILD:g} s: {verdict(cost, TARGET_BUILD)}")


def verdict(cost: float, target: float) -> str:
    """Say whether a target was held."""
    return "held" if cost <= target else "missed"


if __name__ == "__main__":
    main()
