"""What Jenkins and the way to it answer when something is wrong, in words for people and without secrets."""

import re
from collections.abc import Collection
from html import unescape

import jenkins
import requests

from practicum.errors import PermissionsError, PracticumError, UnavailableError, UsageError

WHO = "PRACTICUM_JENKINS_USER and PRACTICUM_JENKINS_TOKEN name a user and an API token of that user"
MOST_DETAIL = 400
_STATUS = re.compile(r"Possibly authentication failed \[(\d{3})\]: [^\n]*\n?")
_SCRIPTS = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL | re.IGNORECASE)


class NotFound(UnavailableError):
    """Jenkins has no such thing, or hides it from this user."""


def translate(error: Exception, what: str, secrets: Collection[str]) -> PracticumError:
    """Return the error for people. `what` was asked for; `secrets` are taken out of Jenkins' own words."""
    status, text = _status(error)
    details = redact(_plain(text), secrets)
    if status in (401, 403):
        return PermissionsError(f"Jenkins refuses {what}", details=details, resolution=WHO)
    if status == 404:
        return NotFound(f"Jenkins has nothing for {what}, or hides it from this user", resolution=WHO)
    if status == 405:
        return UnavailableError(f"Jenkins cannot do {what} in this way", details=details)
    if status == 400:
        return UsageError(f"Jenkins does not understand {what}", details=details, resolution="give its parameters")
    if status == 409:
        return UnavailableError(f"{what}: the job is disabled", resolution="enable it in Jenkins")
    if status:
        return UnavailableError(f"Jenkins failed at {what} (HTTP {status})", details=details)
    return UnavailableError(f"Jenkins does not answer to {what}", details=details, resolution="is its address right?")


def redact(text: str, secrets: Collection[str]) -> str:
    """Return a text with asterisks in place of secrets."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


def _status(error: Exception) -> tuple[int, str]:
    """Return the HTTP status and the body. python-jenkins has three ways to tell them; 0 when there was no answer."""
    if isinstance(error, jenkins.NotFoundException):
        return 404, ""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code, error.response.text
    match = _STATUS.search(str(error))
    return (int(match[1]), str(error)[match.end() :]) if match else (0, str(error))


def _plain(text: str) -> str:
    """Return the words of a page: Jenkins answers with whole web pages."""
    words = unescape(re.sub(r"<[^>]*>", " ", _SCRIPTS.sub(" ", text)))
    return re.sub(r"\s+", " ", words).strip()[:MOST_DETAIL]
