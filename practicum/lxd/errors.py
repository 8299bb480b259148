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


class LxdFull(LxdError):
    """A storage pool has no room for what was asked. `pool` is its name as far as LXD's words tell it."""

    def __init__(self, message: str, *, status: int = 0, details: str = "", pool: str = "") -> None:
        name = f"the storage pool {pool}" if pool else "the storage pool"
        super().__init__(
            f"{name} is full ({message})",
            status=status,
            details=details,
            resolution=(
                f"destroy a lab that has ended, or enlarge {name} (lxc storage info {pool or 'POOL'} shows its space); "
                "then run the same command again"
            ),
        )


class LxdUnavailable(UnavailableError):
    """No LXD answers, or this user may not use it. `was_sent`: the request may have reached it nevertheless."""

    def __init__(self, message: str, *, details: str = "", resolution: str = "", was_sent: bool = True) -> None:
        super().__init__(message, details=details, resolution=resolution)
        self.was_sent = was_sent
