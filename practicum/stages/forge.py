"""The GitLab project of a repository, when it has one, and the token that speaks to it."""

import os
from collections.abc import Mapping
from typing import Any

from practicum.errors import PermissionsError, UnavailableError
from practicum.git.gitlab import GitLab
from practicum.stages.workspace import Workspace, platform_of

TOKEN = "PRACTICUM_GITLAB_TOKEN"  # noqa: S105 - the name of an environment variable
# Set in GitLab's own jobs; it tells a GitLab that lives below a path of its host.
SERVER = "CI_SERVER_URL"


def project_of(workspace: Workspace, commit: str = "HEAD") -> str:
    """Return the URL of the GitLab project that prod's platform file names at a commit; empty when it names none.

    The token is sent there, so in a request `commit` is where it left main: its author may have changed the file.
    """
    return str(_settings(workspace, commit).get("project") or "").rstrip("/")


def auto_merge_of(workspace: Workspace) -> bool:
    """Say whether the operators let GitLab merge promotions by itself when nothing is in the way."""
    return bool(_settings(workspace, "HEAD").get("auto_merge"))


def _settings(workspace: Workspace, commit: str) -> Mapping[str, Any]:
    return platform_of(workspace.repository.sources(commit), "prod").settings.get("git") or {}


def has_token(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether a token was given."""
    return bool(environment.get(TOKEN, "").strip())


def connect(url: str, environment: Mapping[str, str] = os.environ) -> GitLab:
    """Return the project at `url`. Raises UnavailableError without a URL, PermissionsError without a token."""
    if not url:
        raise UnavailableError(
            "it is not said which GitLab project this is",
            resolution="write its URL under 'git: {project: …}' in environments/prod/platform.yaml",
        )
    if not has_token(environment):
        raise PermissionsError(
            f"there is no token for {url}",
            resolution=f"set {TOKEN} to a project access token; docs/how-to/use-gitlab.md says which role it needs",
        )
    server = environment.get(SERVER, "").rstrip("/")
    return GitLab(url, environment[TOKEN].strip(), server=server if url.startswith(f"{server}/") else "")
