"""Foreign text in Markdown: shown as it is, and never read as Markdown, HTML, a mention or a quick action.

GitLab looks for mentions, references and links in the text that Markdown has become, so escapes do not stop it;
what stands in <code> it leaves alone (docs.gitlab.com/user/markdown, "GitLab-specific references").
"""

import re

from generator.diagnostics.secrets import without_passwords

__all__ = ["code", "fenced"]

_LONGEST = 200
_PLAIN = re.compile(r"[\w.,:/+()=–-](?:[\w .,:/+()=–-]*[\w.,:/+()=–-])?")
# Control characters, and those that turn the direction of what is read or cannot be seen.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_UNSEEN_IN_BLOCKS = re.compile(_UNSEEN.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
_SURROGATE = re.compile("[\ud800-\udfff]")


def code(text: str) -> str:
    """Return text of any origin as inline code: one line, also for a table's cell, of at most 200 characters."""
    shown = _clean(_UNSEEN.sub(" ", text)).strip()
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    if _PLAIN.fullmatch(shown):
        return f"`{shown}`"
    return f"<code>{''.join(map(_entity, shown))}</code>"


def fenced(text: str) -> str:
    """Return lines of any origin as a block of code that they cannot end."""
    shown = _clean(_UNSEEN_IN_BLOCKS.sub(" ", text)).rstrip("\n")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def _clean(text: str) -> str:
    return _SURROGATE.sub("\ufffd", without_passwords(text))


def _entity(character: str) -> str:
    return character if character.isalnum() or character == " " else f"&#{ord(character)};"
