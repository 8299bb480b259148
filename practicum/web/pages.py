"""Renders templates, and errors as a person reads them."""

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response

from practicum.errors import InputError, PracticumError, TryAgainError, UnavailableError, UsageError
from practicum.stages.workspace import InvalidInput
from practicum.web.gate import protect
from practicum.web.messages import say
from practicum.web.site import site_of

__all__ = ["bug", "forbidden", "fragment", "is_signed_in", "not_found", "page", "told"]

_STATUS = ((TryAgainError, 409), (UnavailableError, 409), (InputError, 422), (UsageError, 422))


@lru_cache
def _templates() -> Environment:
    loader = PackageLoader("practicum.web")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.globals["say"] = say
    return found


def fragment(name: str, **values: Any) -> str:
    """Return a template as HTML; whatever `values` say is text, never markup."""
    return _templates().get_template(name).render(values)


def is_signed_in(request: HTTPConnection) -> bool:
    """Say whether a browser has a session that was not ended."""
    return site_of(request).user_of(request.scope) is not None


def page(request: HTTPConnection, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a whole page."""
    user = site_of(request).user_of(request.scope)
    # Which labs others work in is for those who teach there; without a name it is the operator.
    job = site_of(request).jobs.running if user and user.is_operator else None
    nonce = request.scope.get("state", {}).get("nonce", "")
    known = {"signed_in": user is not None, "me": user.name if user else ""}
    shown = {**known, "running": job, "here": values.get("job"), "nonce": nonce, **values}
    return HTMLResponse(fragment(name, **shown), status)


async def told(request: Request, error: Exception) -> Response:
    """Return the page for a failure that a stage told."""
    assert isinstance(error, PracticumError)  # noqa: S101 - starlette calls this for no other
    if "hx-request" in request.headers:  # a part of a page, which shows the failure where its content stands
        return HTMLResponse(fragment("problem.html", error=error, lines=error_lines(error)))
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    return page(request, "error.html", status, error=error, lines=error_lines(error))


async def forbidden(request: Request, _error: Exception) -> Response:
    """Return the page for what the user's role does not allow."""
    error = PracticumError(say("errors.forbidden"), resolution=say("errors.forbidden_way"))
    if "hx-request" in request.headers:
        return HTMLResponse(fragment("problem.html", error=error, lines=[]))
    return page(request, "error.html", 403, error=error, lines=[])


async def not_found(request: Request, _error: Exception) -> Response:
    """Return the page for an address that there is not."""
    error = PracticumError(say("errors.not_found"), resolution=say("errors.not_found_way"))
    return page(request, "error.html", 404, error=error, lines=[])


async def bug(request: Request, error: Exception) -> Response:
    """Return the page for a bug. It is made outside of the gate, which has let the request through."""
    what = PracticumError(say("jobs.bug", what=repr(error)), resolution=say("errors.bug_way"))
    answer = page(request, "error.html", 500, error=what, lines=[])
    protect(request.scope, answer.headers)
    return answer


def error_lines(error: PracticumError) -> list[str]:
    """Return what belongs to an error beside its message: a third party's words, or what is wrong in which line."""
    if isinstance(error, InvalidInput):
        wrong = [one for one in error.diagnostics if one.severity == "error"]
        return [f"{one.file}:{one.position.line}: {one.message}" for one in wrong]
    return error.details.splitlines()
