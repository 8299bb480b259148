"""Who is signed in: a person of rosters and specs, whoever holds a numbered place in a class, or the operator."""

from dataclasses import dataclass

__all__ = ["OPERATOR", "User"]


@dataclass(frozen=True)
class User:
    """`login` is a name of rosters and specs. `lab` and `seat` are those of a class without names; then it is empty.

    Whoever started the web page has none of them, and is the operator.
    """

    login: str = ""
    lab: str = ""
    seat: str = ""

    @property
    def is_operator(self) -> bool:
        """Say whether this is whoever started the web page."""
        return not (self.login or self.seat)

    @property
    def name(self) -> str:
        """What the page calls this person; empty for the operator."""
        return self.login or self.seat

    @property
    def key(self) -> str:
        """What tells people apart: rosters do not distinguish capital letters."""
        return self.login.casefold() or f"{self.lab}/{self.seat}"


OPERATOR = User()
