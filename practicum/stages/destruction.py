"""The proof of a destruction for the data-protection officer: what went, when, by whom, and what is not deleted.

While a destruction works, what it will remove stands in FILE.partial: one that was killed and is run again with the
same FILE tells of all of it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from generator.render.tree import lab_folder
from generator.seats.names import is_student
from practicum.errors import InputError, UnavailableError, UsageError
from practicum.lxd.client import Lxd
from practicum.lxd.inventory import Marked
from practicum.stages.backup import store_of
from practicum.stages.deployment import Deployment
from practicum.stages.export import EXPORTED, Work, work_of
from practicum.stages.workspace import Workspace

FORMAT = 1
PARTIAL = ".partial"
SUFFIXES = (".md", ".json")
Document = dict[str, Any]
NOT_KNOWN = (
    "{env} was marked as destroyed at {date} by {author} ({sha}), before this report was begun: what went then is not "
    "in it"
)


class Journal:
    """A report that is being written; without a file it keeps nothing."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._partial = file and file.with_name(file.name + PARTIAL)
        self._document: Document = {}

    @classmethod
    def open(cls, file: Path, lab: str) -> "Journal":
        """Begin a report, or go on with that of a killed run. Raises UsageError or InputError for the file."""
        if file.suffix not in SUFFIXES:
            raise UsageError(f"a report is {' or '.join(SUFFIXES)}, not '{file.name}'")
        journal = cls(file)
        partial = file.with_name(file.name + PARTIAL)
        journal._document = _earlier(partial) or {"format": FORMAT, "lab": lab, "runs": [], "environments": {}}
        if journal._document["lab"] != lab:
            raise InputError(f"{partial} is the report of {journal._document['lab']}", resolution="use another file")
        journal._document.setdefault("removed", [])
        journal._document.setdefault("not_known", [])
        try:
            journal._save()
        except OSError as error:
            raise UsageError(f"the report {file} cannot be written", resolution=str(error)) from error
        return journal

    @property
    def is_kept(self) -> bool:
        """Whether there is a file."""
        return self._file is not None

    def begin(
        self, workspace: Workspace, deployment: Deployment, listed: Sequence[Marked], *, keep_volumes: bool
    ) -> None:
        """Note, before any effect, what will be removed of an environment, and what is known of its exports."""
        document, lxd = self._document, workspace.lxd(deployment.platform)
        by = workspace.repository.identity or "somebody without a name in git's configuration"
        document["installation"] = deployment.scope.installation
        document["runs"].append({"at": _now(), "by": by, "environment": deployment.environment})
        if deployment.environment not in document["environments"]:
            document["environments"][deployment.environment] = _facts(lxd, deployment, keep_volumes)
            if unknown := _gone_before(workspace, deployment):
                document["not_known"].append(unknown)
        self.add(listed)

    def add(self, listed: Iterable[Marked]) -> None:
        """Note what will be removed."""
        if self._partial is not None:
            known = {tuple(one) for one in self._document["removed"]}
            new = {(thing.kind, thing.place, thing.name, thing.marker) for thing in listed}
            self._document["removed"] = [list(one) for one in sorted(known | new)]
            self._save()

    def end(self, workspace: Workspace) -> None:
        """Write the report: the last inventory was empty."""
        if self._file is None or self._partial is None:
            return
        document = self._document
        document["ended"] = _now()
        document["commit"] = workspace.repository.head()
        document["counts"] = dict(sorted(Counter(one[0] for one in document["removed"]).items()))
        document["left"] = []
        json_text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        text = json_text if self._file.suffix == ".json" else markdown(document)
        self._partial.write_text(text, encoding="utf-8")
        self._partial.replace(self._file)

    def _save(self) -> None:
        if self._partial is not None:
            new = self._partial.with_name(self._partial.name + ".new")
            new.write_text(json.dumps(self._document, ensure_ascii=False) + "\n", encoding="utf-8")
            new.replace(self._partial)


def markdown(document: Mapping[str, Any]) -> str:
    """Return a report as a page for people."""
    return "\n".join([*_head(document), *_environments(document), *_objects(document)]) + "\n"


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Destruction of {document['lab']}\n"
    yield f"* installation: {document['installation']}"
    yield f"* environments: {', '.join(document['environments'])}"
    for run in document["runs"]:
        yield f"* begun: {run['at']}, {run['environment']}, by {run['by']}"
    yield f"* ended: {document['ended']}, at commit {document['commit']}"
    counts = ", ".join(f"{count} {kind}" for kind, count in document["counts"].items())
    yield f"* removed: {len(document['removed'])} objects: {counts or 'none'}"
    yield "* last inventory of what carries the marker of the lab in these environments: empty, but for what is kept\n"
    if document["not_known"]:
        yield "## Not known\n"
        yield from (f"* {line}" for line in document["not_known"])
        yield ""


def _environments(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Not deleted\n"
    yield from (f"* {line}" for line in NOT_DELETED)
    for name, facts in document["environments"].items():
        yield from (f"* {name}: {line}" for line in facts["not_deleted"])
    yield "\n## Archives of students' work\n"
    archives = [(name, one) for name, facts in document["environments"].items() for one in facts["archives"]]
    yield from (f"* {env} {one['archive']} of {one['at']}, sha256 {one['sha256']}" for env, one in archives)
    if not archives:
        yield "* none is known"
    yield ""


def _objects(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Removed\n"
    yield "| kind | project | name | marker |"
    yield "|---|---|---|---|"
    yield from (f"| {' | '.join(one)} |" for one in document["removed"])


NOT_DELETED = (
    "the spec, the definitions and the history in git, with ids of students and their logins in seats.yaml and rosters",
    "names, addresses and claims outside LXD, such as logs of the pipeline and of GitLab",
)


def _facts(lxd: Lxd, deployment: Deployment, keep_volumes: bool) -> Document:
    found = lxd.find("projects", deployment.scope.project)
    works = work_of(lxd, deployment) if found is not None else []
    records = [json.loads(work.config[EXPORTED]) for work in works if EXPORTED in work.config]
    archives = {one["archive"]: {key: one[key] for key in ("archive", "at", "sha256")} for one in records}
    return {
        "students": len({work.seat for work in works if is_student(work.seat)}),
        "archives": [archives[name] for name in sorted(archives)],
        "export": json.loads((found or {"config": {}})["config"].get(EXPORTED, "null")),
        "not_deleted": list(_not_deleted(lxd, deployment, found, works, keep_volumes)),
    }


def _not_deleted(
    lxd: Lxd, deployment: Deployment, project: Mapping[str, Any] | None, works: Sequence[Work], keep_volumes: bool
) -> Iterator[str]:
    if project is not None and EXPORTED in project["config"]:
        export = json.loads(project["config"][EXPORTED])
        yield f"the archives in {export['folder']} of {export['at']}, sha256 of their manifest {export['sha256']}"
    with suppress(UnavailableError):
        yield from (f"backups in {place}" for place in store_of(lxd, deployment.platform).places(deployment))
    if keep_volumes and works:
        yield f"volumes, as was asked: {', '.join(work.place.name for work in works)}"


def _gone_before(workspace: Workspace, deployment: Deployment) -> str:
    path = f"{lab_folder(deployment.environment, deployment.lab)}/operation.yaml"
    change = workspace.repository.last_change(path) if deployment.operation.life == "destroyed" else None
    if change is None:
        return ""
    return NOT_KNOWN.format(env=deployment.environment, date=change.date, author=change.author, sha=change.sha)


def _earlier(partial: Path) -> Document | None:
    if not partial.is_file():
        return None
    try:
        found = json.loads(partial.read_text(encoding="utf-8"))
        if found["format"] == FORMAT and {"lab", "runs", "environments"} <= set(found):
            return dict(found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{partial} is no begun report", details=str(error), resolution="remove it") from error
    raise InputError(f"{partial} is no begun report of this version", resolution="remove it")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
