"""The one family of errors that users see."""


class PracticumError(Exception):
    """A failure told to a person.

    `message` is the first line, `details` are a third party's own words, `resolution` says what to do,
    `docs` is a documentation page, `exit_code` is what the process ends with.
    """

    exit_code = 1

    def __init__(
        self, message: str, *, details: str = "", resolution: str = "", docs: str = "", exit_code: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.resolution = resolution
        self.docs = docs
        if exit_code is not None:
            self.exit_code = exit_code


class UsageError(PracticumError):
    """The command line cannot be acted on."""

    exit_code = 2


class InputError(PracticumError):
    """An input file is bad; nothing was done."""

    exit_code = 65


class UnavailableError(PracticumError):
    """A service or a capability that the request needs is not there; nothing was done."""

    exit_code = 69


class TryAgainError(PracticumError):
    """The same request may succeed later: locked, timed out, busy."""

    exit_code = 75


class PermissionsError(PracticumError):
    """The user or the host lacks something that an operator can give."""

    exit_code = 77
