"""Bring student work back from archives of an export: in place of what is there, which stays as `prev-V`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.seats.names import instance, previous
from practicum.errors import InputError, PracticumError, UnavailableError
from practicum.events import Event
from practicum.lxd.archives import Manifest, member, parse_manifest, read_manifest, verify
from practicum.lxd.client import Lxd
from practicum.lxd.lock import lease
from practicum.lxd.volume_backups import digest_of, restore_stream
from practicum.lxd.volumes import Place, begin_incoming, set_keys, take_place
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.export import EXPORTED, whole_name
from practicum.stages.guards import refuse_unbuilt, require_pool_space
from practicum.stages.placement import placed
from practicum.stages.provision import provision
from practicum.stages.workspace import Workspace

STAGE = "import"
# The digest of what a volume was imported from; taken away when the whole import has ended.
IMPORTED = "user.practicum.imported"


@dataclass(frozen=True)
class Source:
    """An archive of a seat that was verified."""

    file: Path
    manifest: Manifest

    @property
    def seat(self) -> str:
        """Whose work it is."""
        return str(self.manifest["seat"])


@dataclass(frozen=True)
class Imported:
    """How the import of a seat went: the volumes that came back."""

    seat: str
    volumes: tuple[str, ...] = ()
    error: PracticumError | None = None


def verified(lab: str, path: Path, seats: Sequence[str] = ()) -> list[Source]:
    """Return the archives of a folder, or one archive, of a lab; nothing begins before all digests are right.

    Raises InputError for what is missing, changed, or of another lab.
    """
    files = _of_folder(lab, path) if path.is_dir() else [path]
    found = [Source(file, read_manifest(file)) for file in files]
    strange = [one for one in found if one.manifest.get("lab") != lab or "seat" not in one.manifest]
    if strange:
        raise InputError(
            f"{strange[0].file} is of {strange[0].manifest.get('lab')}, not of {lab}; nothing was done",
            resolution="an archive goes back into the lab that it came from",
        )
    there = {one.seat: one for one in found}
    unknown = sorted(set(seats) - set(there))
    if unknown:
        known = f"there are: {', '.join(sorted(there))}"
        raise InputError(f"{path} has no archive of {', '.join(unknown)}", resolution=known, exit_code=2)
    chosen = [one for one in found if not seats or one.seat in seats]
    for one in chosen:
        verify(one.file, one.manifest)
    return chosen


def import_work(workspace: Workspace, lab: str, environment: str, sources: Sequence[Source]) -> list[Imported]:
    """Put volumes of archives where they belong; machines that have them stop for it, and start again.

    What was there stays as `prev-V`. Killed anywhere, the old volume is there under one of its two names, and the same
    command does the rest. One seat that fails stops no other.
    """
    deployment = load_deployment(workspace, lab, environment)
    refuse_unbuilt(deployment)
    _require_places(deployment, sources)
    lxd = placed(workspace.lxd(deployment.platform), deployment)
    if lxd.find("projects", deployment.scope.project) is None:
        raise UnavailableError(
            f"nothing of {lab} is on LXD in {environment}; nothing was done",
            resolution=f"practicum start {lab} --env {environment} makes it; then import",
        )
    require_pool_space(lxd, deployment)
    workspace.emit(Event(STAGE, "started", f"{len(sources)} seats", total=len(sources)))
    with lease(lxd, deployment.scope.project):
        done = [_seat(workspace, lxd, deployment, source) for source in sources]
    back = {one.seat for one in done if one.volumes}
    outcomes = provision(workspace, lab, environment, sorted(back)).failed if back else []
    failed = {outcome.seat: outcome.error for outcome in outcomes}
    ended = [Imported(one.seat, one.volumes, one.error or failed.get(one.seat)) for one in done]
    for source, one in zip(sources, ended, strict=True):
        # What failed keeps its marks: the same command must not put a volume aside a second time.
        if one.error is None:
            _forget(lxd, deployment, source)
    return ended


def _of_folder(lab: str, folder: Path) -> list[Path]:
    whole = folder / whole_name(lab)
    if not whole.is_file():
        raise InputError(f"{folder} has no {whole.name}", resolution="name the folder of an export, or one archive")
    listed = parse_manifest(whole.read_bytes(), str(whole))["archives"]
    for entry in listed:
        file = folder / Path(entry["file"]).name
        if not file.is_file() or digest_of(file) != entry["sha256"]:
            raise InputError(f"{file} is not what the export wrote; nothing was done", resolution="use another copy")
    return [folder / Path(entry["file"]).name for entry in listed]


def _require_places(deployment: Deployment, sources: Sequence[Source]) -> None:
    for source in sources:
        seat = deployment.seats.get(source.seat)
        if seat is None:
            raise InputError(
                f"{deployment.lab} has no seat {source.seat} any more; nothing was done",
                resolution="choose others with --seat; 'tar xf' opens an archive by hand",
            )
        names = {volume["volume"] for volume in seat["volumes"]}
        lost = sorted({entry["name"] for entry in source.manifest["volumes"]} - names)
        if lost:
            raise InputError(
                f"{deployment.lab} has no volume {', '.join(lost)} any more; nothing was done",
                details=f"{source.file} holds it",
                resolution="'tar xf' opens an archive by hand",
            )


def _seat(workspace: Workspace, lxd: Lxd, deployment: Deployment, source: Source) -> Imported:
    back = []
    try:
        for entry in source.manifest["volumes"]:
            _volume(lxd, deployment, source, entry)
            back.append(str(entry["name"]))
    except PracticumError as error:
        workspace.emit(Event(STAGE, "failed", f"{error.message} {error.details}".strip(), source.seat))
        return Imported(source.seat, tuple(back), error)
    workspace.emit(Event(STAGE, "done", ", ".join(back), source.seat))
    return Imported(source.seat, tuple(back))


def _place(deployment: Deployment, seat: str, volume: str) -> Place:
    found = next(one for one in deployment.seats[seat]["volumes"] if one["volume"] == volume)
    return Place(deployment.scope.project, found["pool"], instance(seat, volume))


def _volume(lxd: Lxd, deployment: Deployment, source: Source, entry: Mapping[str, Any]) -> None:
    place = _place(deployment, source.seat, entry["name"])
    found = lxd.find(*place.path, project=place.project)
    if found is not None and found["config"].get(IMPORTED) == entry["sha256"]:
        return
    incoming = begin_incoming(lxd, place)
    with member(source.file, entry["member"]) as stream:
        restore_stream(lxd, stream, incoming)
    marks = {"user.practicum": deployment.scope.marker(source.seat), IMPORTED: entry["sha256"], EXPORTED: ""}
    set_keys(lxd, incoming, marks)
    kept = previous(place.name)
    if found is not None:
        lxd.delete(*place.named(kept).path, project=place.project)
    take_place(lxd, place, kept)


def _forget(lxd: Lxd, deployment: Deployment, source: Source) -> None:
    for entry in source.manifest["volumes"]:
        place = _place(deployment, source.seat, entry["name"])
        found = lxd.find(*place.path, project=place.project)
        if found is not None and IMPORTED in found["config"]:
            set_keys(lxd, place, {IMPORTED: ""})
