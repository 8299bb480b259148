"""Keeps passwords in URLs out of everything that is shown."""

import re

__all__ = ["holds_password", "without_passwords"]

# In http(s) URLs a lone user part may be a token; elsewhere (ssh://git@…) it is a name.
_HTTP_USER = re.compile(r"(https?://)[^/\s@]+@", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def holds_password(text: str) -> bool:
    """Return whether a URL in the text carries a password or token."""
    return without_passwords(text) != text


def without_passwords(text: str) -> str:
    """Return the text with `***` in place of passwords and tokens in URLs."""
    return _PASSWORD.sub(r"\1***@", _HTTP_USER.sub(r"\1***@", text))
