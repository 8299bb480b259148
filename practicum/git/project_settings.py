"""Settings of a GitLab project as code: what is there, what is wanted, and the changes from the one to the other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import yaml

from practicum.errors import PracticumError
from practicum.git.gitlab import GitLab, Json

# What a protection is told by, and where GitLab shows it: a list with an entry for each level.
_LEVELS = ("push_access_level", "merge_access_level", "create_access_level")
_WORDS = {0: "nobody", 30: "developers", 40: "maintainers", 60: "administrators"}
HOOK = {"push_events": True, "tag_push_events": True, "merge_requests_events": True, "enable_ssl_verification": True}


@dataclass(frozen=True)
class Change:
    """One setting to change. `path` is its place in the API, `replaces` whether it is there with other content."""

    kind: str
    name: str
    now: str
    wanted: str
    content: Mapping[str, Any]
    replaces: bool = False


def wanted_settings() -> Json:
    """Return the settings of every project, by kind."""
    text = (files("practicum.git") / "templates" / "gitlab-settings.yaml").read_text("utf-8")
    found: Json = yaml.safe_load(text)
    return found


def has_approvals(server: GitLab) -> bool:
    """Say whether the licence has approval rules, and with them code owners that count."""
    return "approvals_before_merge" in server.get("")


def plan_settings(server: GitLab, jenkins: str = "") -> list[Change]:
    """Return what has to change; nothing when the project is as wanted. `jenkins` is the address of a Jenkins."""
    return list(_changes(server, wanted_settings(), jenkins))


def apply_settings(server: GitLab, changes: list[Change], hook_token: str = "") -> Iterator[Change]:
    """Make the changes, each yielded when it is made. `hook_token` is what Jenkins knows the webhook by."""
    for change in changes:
        _apply(server, change, hook_token)
        yield change


def _changes(server: GitLab, wanted: Json, jenkins: str) -> Iterator[Change]:
    project = server.get("")
    for key, value in wanted["project"].items():
        if project.get(key) != value:
            yield Change("project", key, _shown(project.get(key)), _shown(value), {key: value})
    for kind in ("protected_branches", "protected_tags"):
        there = {one["name"]: _protection(one) for one in server.all(kind)}
        for one in wanted[kind]:
            now = there.get(one["name"])
            if now is None or any(now.get(key) != value for key, value in one.items()):
                words = "open to all who push" if now is None else _rights(now)
                yield Change(kind, one["name"], words, _rights(one), one, replaces=now is not None)
    labels = {one["name"] for one in server.all("labels")}
    for one in wanted["labels"]:
        if one["name"] not in labels:
            yield Change("labels", one["name"], "", one["description"], one)
    if jenkins:
        url = f"{jenkins.rstrip('/')}/gitlab-webhook/post"
        if url not in {one["url"] for one in server.all("hooks")}:
            yield Change("hooks", url, "", "pushes, tags and merge requests", {"url": url, **HOOK})


def _apply(server: GitLab, change: Change, hook_token: str) -> None:
    if change.kind == "project":
        server.put("", **change.content)
    elif change.kind == "hooks":
        server.post("hooks", **change.content, token=hook_token)
    elif change.replaces:
        # GitLab changes no protection's levels in place.
        server.delete(f"{change.kind}/{quote(change.name, safe='')}")
        _protect_again(server, change)
    else:
        server.post(change.kind, **change.content)


def _protect_again(server: GitLab, change: Change) -> None:
    try:
        server.post(change.kind, **change.content)
    except PracticumError as error:
        raise PracticumError(
            f"{change.name} is NOT protected now: the old protection is gone, and the new one was refused",
            details=f"{error.message}\n{error.details}".strip(),
            resolution="run the same command again at once, or protect it by hand",
        ) from error


def _protection(one: Json) -> Json:
    """Return a protection in the words that it is made with."""
    levels = {key: max((level["access_level"] for level in one.get(f"{key}s", ())), default=None) for key in _LEVELS}
    return {**one, **{key: value for key, value in levels.items() if value is not None}}


def _rights(one: Mapping[str, Any]) -> str:
    words = [f"{key.split('_')[0]}: {_WORDS.get(one[key], one[key])}" for key in _LEVELS if key in one]
    return ", ".join([*words, *(["FORCE PUSH"] if one.get("allow_force_push") else [])])


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not set" if value is None else str(value)
