"""The log of a build as it grows: pieces of bytes become whole lines of text."""

import codecs
import re
from collections.abc import Iterable, Iterator

# Jenkins puts links and the like into the log as notes that terminals do not show.
_NOTE = re.compile("\x1b\\[8mha:.*?\x1b\\[0m")


def lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield whole lines without notes and carriage returns; a piece may end inside of a character or a note."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + decoder.decode(piece)).split("\n")
        yield from map(_clean, whole)
    rest += decoder.decode(b"", final=True)
    if rest:
        yield _clean(rest)


def _clean(line: str) -> str:
    return _NOTE.sub("", line).rstrip("\r")
