"""LXD's failures in Practicum's words: what the caller should do decides the class."""

from practicum.errors import PracticumError, UnavailableError


class LxdError(PracticumError):
    """LXD refused or failed a request; `details` are LXD's own words."""

    def __init__(self, message: str, *, status: int = 0, details: str = "", resolution: str = "") -> None:
        super().__init__(message, details=details, resolution=resolution)
        self.status = status


class LxdNotFound(LxdError):
    """The object does not exist."""


class LxdConflict(LxdError):
    """The object changed since it was read, or exists already."""


class LxdUnavailable(UnavailableError):
    """No LXD answers, or this user may not use it."""
