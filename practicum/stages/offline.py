"""What a change of specs would do, told from git alone: main's definitions against those of the files here."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from generator.generate import Edition, LabState, read_edition, read_seat_book, render
from generator.render.nodes import node_count
from generator.render.tree import lab_folder
from generator.seats.books import BrokenBook
from generator.seats.capacity import Promise, promised
from generator.spec.model import Lab
from generator.spec.platform import ENVIRONMENTS, Platform
from generator.spec.units import shown
from practicum.errors import InputError
from practicum.stages.deployment import Document
from practicum.stages.differences import Definition, Difference, differences, read_definition
from practicum.stages.pace import pilot_pace
from practicum.stages.promised import Promises
from practicum.stages.room import Room
from practicum.stages.workspace import InvalidInput, Workspace, require_lab

# In the order of a promise.
_SIZES = ("cpu", "memory", "disk")
_OBJECT = re.compile(rb"^kind: ", re.MULTILINE)
_KUSTOMIZATION = "kustomization.yaml"
# What a delivery does to the class, by the spec's `update`.
DELIVERY = {
    "keep": "systems are replaced; volumes and kept paths stay",
    "rebuild": "systems are replaced AND VOLUMES ARE CLEARED",
    "manual": "only new students get it",
}


@dataclass(frozen=True)
class LabPlan:
    """What becomes of one lab. `new`: main has no definitions of it; `needs` is what this version refuses, in words.

    `expected` says how long the whole class takes, as its last pilot did; empty where none was measured.
    """

    lab: str
    new: bool
    differences: tuple[Difference, ...]
    rooms: tuple[Room, ...]
    needs: tuple[str, ...]
    delivery: str
    kubernetes: str
    expected: str = ""

    @property
    def fits(self) -> bool:
        """Say whether every environment has room."""
        return not any(room.lacking for room in self.rooms)


def plan_offline(workspace: Workspace, lab: str, base: str) -> LabPlan:
    """Return what the files here would change of a lab as the commit `base` has it. Raises InvalidInput."""
    sources = workspace.repository.sources(None)
    require_lab(sources, lab)
    edition = read_edition(sources, workspace.catalogue, [lab], workspace.today)
    if edition.failed:
        raise InvalidInput(edition.diagnostics, workspace.repository.root)
    return plan_labs(workspace, edition, edition.labs, base, unchanged=True)[0]


def plan_labs(
    workspace: Workspace, edition: Edition, states: Iterable[LabState], base: str, *, unchanged: bool = False
) -> list[LabPlan]:
    """Return what becomes of valid labs of an edition, against the commit `base`; also of those that stay as they are.

    Room is judged for all of them together: each as it will be.
    """
    compared = [_Compared.of(workspace, edition, state, base) for state in states]
    changed = [one for one in compared if one.differences or unchanged]
    promises = Promises(workspace)
    for one in changed:
        for environment in ENVIRONMENTS:
            promises.expect(one.state.lab.key, environment, one.promise(environment, edition.platforms[environment]))
    together = {environment: promises.together(environment) for environment in ENVIRONMENTS} if changed else {}
    return [one.plan(workspace, edition, together) for one in changed]


@dataclass(frozen=True)
class _Compared:
    """A lab as main has it and as it would be, with its tree in dev."""

    state: LabState
    tree: Mapping[str, bytes]
    before: Definition
    after: Definition
    differences: tuple[Difference, ...]

    @classmethod
    def of(cls, workspace: Workspace, edition: Edition, state: LabState, base: str) -> "_Compared":
        tree = render(edition, state, "dev")
        before, after = _on_main(workspace, state.lab.key, base), read_definition(tree, state.seats)
        return cls(state, tree, before, after, tuple(differences(before, after)))

    def plan(self, workspace: Workspace, edition: Edition, together: Mapping[str, Promise]) -> LabPlan:
        lab, needs = self.state.lab, self.after.shared["needs"]
        copies = len(self.after.active) + 1
        return LabPlan(
            lab.key,
            new=not self.before.shared,
            differences=self.differences,
            rooms=tuple(self._room(name, edition.platforms[name], promise) for name, promise in together.items()),
            needs=tuple(f"{need['key']}: {need['missing']}" for need in needs),
            delivery=DELIVERY[lab.update],
            kubernetes=_kubernetes(lab, self.tree, copies),
            expected=pilot_pace(workspace, lab.key).expected(copies),
        )

    def promise(self, environment: str, platform: Platform) -> Promise:
        return promised(self.after.shared, self._seats(environment)) + self._of_cluster(environment, platform)

    def _of_cluster(self, environment: str, platform: Platform) -> Promise:
        count, cluster = self._nodes(environment, platform), self.state.lab.own_cluster
        return Promise(*(count * cluster.nodes[key] for key in _SIZES)) if cluster else Promise()

    def _nodes(self, environment: str, platform: Platform) -> int:
        """Return how many nodes the lab's own cluster has in an environment; none without such a cluster."""
        cluster = self.state.lab.own_cluster
        return node_count(cluster, platform, len(self._seats(environment))) if cluster else 0

    def _seats(self, environment: str) -> list[Document]:
        students = len(self.after.active) if environment == "prod" else 0
        return [self.after.professor, *([self.after.student] * students)]

    def _room(self, environment: str, platform: Platform, together: Promise) -> Room:
        copies, machines = len(self._seats(environment)), len(self.state.lab.machines)
        return Room(
            environment,
            copies,
            machines,
            lab=self.promise(environment, platform),
            all_labs=together,
            capacity=platform.capacity,
            addresses=copies * machines,
            nodes=self._nodes(environment, platform),
            addresses_kept=sum(block.num_addresses for block in self.state.addresses[environment].blocks),
        )


def _on_main(workspace: Workspace, lab: str, base: str) -> Definition:
    """Return the definition that a commit has; an empty one when there is none, or none that this version reads."""
    tree = workspace.repository.committed(lab_folder("dev", lab), base)
    try:
        return read_definition(tree, read_seat_book(workspace.repository.sources(base), lab)) if tree else Definition()
    except (InputError, BrokenBook):
        return Definition()


def _kubernetes(lab: Lab, tree: Mapping[str, bytes], copies: int) -> str:
    """Return in words what the Kubernetes part costs; empty for a lab without."""
    if lab.kubernetes is None:
        return ""
    folder = f"{lab_folder('dev', lab.key)}/kubernetes/base/"
    texts = [data for path, data in tree.items() if path.startswith(folder) and not path.endswith(_KUSTOMIZATION)]
    objects = sum(len(_OBJECT.findall(data)) for data in texts)
    quota = lab.kubernetes.quota
    sizes = f"{quota['cpu'] * copies} cores, {shown(quota['memory'] * copies)} of memory"
    more = f"{quota['pods'] * copies} pods, {shown(quota['storage'] * copies)} of disk"
    return f"{copies} namespaces × {objects} objects; quotas together: {sizes}, {more}"
