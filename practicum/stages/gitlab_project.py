"""Make a GitLab project ready for labs: its settings, and the files that speak of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from generator.spec.platform import ENVIRONMENTS
from practicum.errors import UsageError
from practicum.events import Event
from practicum.git.gitlab import GitLab
from practicum.git.project_settings import Change, apply_settings, has_approvals, plan_settings
from practicum.git.template import gitlab_files
from practicum.stages.forge import connect
from practicum.stages.workspace import Workspace, platforms_of

HOOK_TOKEN = "PRACTICUM_WEBHOOK_TOKEN"  # noqa: S105 - the name of an environment variable
DEFAULT_SERVER = "https://gitlab.com"


@dataclass(frozen=True)
class ProjectPlan:
    """What is to be done. `files` are committed here, `changes` are made in GitLab; `notes` are for the operator."""

    server: GitLab
    files: Mapping[str, bytes]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]


def project_url(text: str, server: str = DEFAULT_SERVER) -> str:
    """Return the URL of GROUP/PROJECT on a server; a URL is taken as it is."""
    if urlsplit(text).scheme:
        return text.rstrip("/").removesuffix(".git")
    if "/" not in text.strip("/"):
        raise UsageError(f"'{text}' is not GROUP/PROJECT", resolution="such as teaching/labs, or the project's URL")
    return f"{server.rstrip('/')}/{text.strip('/')}"


def plan_project(workspace: Workspace, url: str, environment: Mapping[str, str] = os.environ) -> ProjectPlan:
    """Return what a project and this repository lack. Raises what GitLab refuses; nothing is changed."""
    server = connect(url, environment)
    platforms = platforms_of(workspace.repository.sources("HEAD"))
    jenkins = str((platforms["prod"].settings.get("jenkins") or {}).get("url") or "")
    notes = []
    if jenkins and not environment.get(HOOK_TOKEN):
        notes.append(f"no webhook for {jenkins}: set {HOOK_TOKEN} to the secret that Jenkins knows it by")
        jenkins = ""
    changes = plan_settings(server, jenkins)
    tier = "counts" if has_approvals(server) else "is a note only: this licence has no approval rules"
    notes.append(f".gitlab/CODEOWNERS {tier}")
    named, unnamed = _platform_files(workspace, url)
    wanted = gitlab_files(url, server.path) | named
    notes += [f"write 'project: {url}' under 'git:' in {path}" for path in unnamed]
    committed = workspace.repository.committed("")
    files = {path: data for path, data in wanted.items() if committed.get(path) != data}
    return ProjectPlan(server, files, tuple(changes), tuple(notes))


def apply_project(workspace: Workspace, plan: ProjectPlan, environment: Mapping[str, str] = os.environ) -> None:
    """Commit the files here, and change the project. Run again after a failure it does what is left."""
    if plan.files:
        workspace.repository.commit(plan.files, "Name the GitLab project")
        workspace.emit(Event("init", "done", f"{len(plan.files)} files committed"))
    for change in apply_settings(plan.server, list(plan.changes), environment.get(HOOK_TOKEN, "")):
        workspace.emit(Event("init", "done", f"{change.kind} {change.name}: {change.wanted}"))


def _platform_files(workspace: Workspace, url: str) -> tuple[dict[str, bytes], list[str]]:
    """Return the platform files with the project's URL at their end, and the paths of those with another 'git:'."""
    sources, platforms = workspace.repository.sources("HEAD"), platforms_of(workspace.repository.sources("HEAD"))
    named, other = {}, []
    for name in ENVIRONMENTS:
        path, git = f"environments/{name}/platform.yaml", platforms[name].settings.get("git")
        if git is None and sources.status(path) == "file":
            named[path] = sources.read(path).rstrip(b"\n") + f"\ngit: {{project: {url}}}\n".encode()
        elif git is not None and git.get("project") != url:
            other.append(path)
    return named, other
