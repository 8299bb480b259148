"""What a student changed on the systems of a seat: taken out of copies, without touching the student's machines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generator.seats.names import SNAPSHOT
from practicum.errors import PracticumError
from practicum.lxd.archives import Archive
from practicum.lxd.client import Lxd
from practicum.lxd.desired import Desired, Instance
from practicum.lxd.golden import GoldenMachines
from practicum.lxd.kept import packed_paths
from practicum.lxd.plan import BASE_IMAGE
from practicum.lxd.systems import Listing, changed, listing
from practicum.lxd.waiting import waiting_copy
from practicum.stages.drift import base_of, given

# A command takes no more bytes of arguments at once.
MOST_BYTES = 100_000


@dataclass(frozen=True)
class SystemFiles:
    """Packs changed files. `bases` are listings of checkpoints that were made before, by machine and image."""

    lxd: Lxd
    desired: Desired
    golden: GoldenMachines
    bases: dict[tuple[str, str], Listing | str] = field(default_factory=dict)

    def add(self, archive: Archive, instance: Instance, snapshot: str) -> dict[str, Any]:
        """Write a machine's changed files to an archive; return what the manifest says of them, or why none came.

        They are those that the `snapshot` has, or without one the machine itself, which must be stopped.
        """
        document = {"machine": instance.machine, "members": [], "removed": [], "unknown": ""}
        if instance.kind != "container":
            return {**document, "unknown": "the system of a virtual machine is not looked into"}
        try:
            return {**document, **self._pack(archive, instance, snapshot and f"{SNAPSHOT}{snapshot}")}
        except PracticumError as error:
            return {**document, "unknown": f"{error.message} {error.details}".strip()}

    def _pack(self, archive: Archive, instance: Instance, snapshot: str) -> Mapping[str, Any]:
        place = ("instances", instance.name, *(("snapshots", snapshot) if snapshot else ()))
        taken = self.lxd.get(*place, project=self.desired.project_name)
        base = self._base(instance, taken["config"].get(BASE_IMAGE, ""))
        if isinstance(base, str):
            return {"unknown": base}
        project, members = self.desired.golden_project, []
        with waiting_copy(self.lxd, self.desired, instance, snapshot) as copy:
            now = listing(self.lxd, project, copy)
            paths = changed(base, now, given(instance))
            for number, some in enumerate(_portions([path for path in paths if path in now]), start=1):
                member = f"system-{instance.machine}{f'-{number}' if number > 1 else ''}.tar"
                with packed_paths(self.lxd, project, copy, some) as chunks:
                    written = archive.add(member, chunks)
                members.append({"member": member, "size": written.size, "sha256": written.sha256, "files": len(some)})
        return {"members": members, "removed": [path for path in paths if path not in now]}

    def _base(self, instance: Instance, made_of: str) -> Listing | str:
        key = (instance.machine, made_of)
        if key not in self.bases:
            self.bases[key] = base_of(self.lxd, self.golden, instance, made_of)
        return self.bases[key]


def _portions(paths: Sequence[str]) -> Iterator[list[str]]:
    """Yield paths some at a time, as many as a command takes."""
    some: list[str] = []
    room = MOST_BYTES
    for path in paths:
        room -= len(path.encode(errors="surrogateescape")) + 1
        if some and room < 0:
            yield some
            some, room = [], MOST_BYTES
        some.append(path)
    if some:
        yield some
