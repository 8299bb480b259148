"""A cluster's failures in Practicum's words: what the caller should do decides the class."""

import json
from collections.abc import Mapping
from typing import Any

from practicum.errors import PermissionsError, PracticumError, TryAgainError

__all__ = ["ClusterConflict", "ClusterNotFound", "ClusterRefused", "error_of"]

_CONFLICT = 409
_PASSING = frozenset({429, 500, 502, 503, 504})
# What admission says of pods in a namespace whose quota or account its controllers have not seen yet.
_SOON = ("status unknown for quota", "error looking up service account")
_RIGHTS = {
    401: "renew the access in the kubeconfig that platform.yaml names",
    403: "give the account of the kubeconfig the rights that the documentation lists",
}


class ClusterRefused(PracticumError):
    """The API server refused a request; `details` are its own words, `status` is HTTP's."""

    def __init__(self, message: str, *, details: str, status: int = 0) -> None:
        super().__init__(message, details=details)
        self.status = status


class ClusterNotFound(ClusterRefused):
    """The object, or its kind, does not exist."""


class ClusterConflict(ClusterRefused):
    """Somebody else has set what was to be set, or the object changed. `causes` says which field, and who."""

    def __init__(self, message: str, *, details: str, causes: tuple[str, ...]) -> None:
        super().__init__(message, details=details, status=_CONFLICT)
        self.causes = causes


def error_of(cluster: str, request: str, code: int, body: bytes) -> PracticumError:
    """Return the error for an answer that is none of success. `request` is what was asked, such as `PATCH /api/…`.

    Codes: kubernetes.io/docs/reference/using-api/api-concepts and the reasons of its Status object.
    """
    status = _status(body)
    text = str(status.get("message") or body.decode(errors="replace")[:500] or f"HTTP {code}")
    message = f"cluster '{cluster}' refused {request}"
    if code == 404:
        return ClusterNotFound(message, details=text, status=code)
    if code == _CONFLICT:
        return ClusterConflict(message, details=text, causes=_causes(status))
    if code == 403 and any(words in text for words in _SOON):
        return TryAgainError(f"cluster '{cluster}' is not ready for {request}", details=text)
    if code in (401, 403):
        return PermissionsError(message, details=text, resolution=_RIGHTS[code], docs="docs/how-to/existing-cluster.md")
    if code in _PASSING:
        return TryAgainError(f"cluster '{cluster}' is busy with {request}", details=text)
    return ClusterRefused(message, details=text, status=code)


def _status(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _causes(status: Mapping[str, Any]) -> tuple[str, ...]:
    """Return each field with a conflict and who has it, in the server's words: `.spec.replicas: conflict with "…"`."""
    causes = (status.get("details") or {}).get("causes") or ()
    return tuple(f"{cause.get('field', '')}: {cause.get('message', '')}" for cause in causes)
