"""Cut connections that are open already: LXD's access lists judge only how a connection begins."""

import os
import shutil
import subprocess
from collections.abc import Iterable

from practicum.parallel import in_parallel

PROGRAM = "conntrack"
SECONDS = 30
# What the kernel's table of connections says when there was none to forget.
NONE = "0 flow entries have been deleted"


def cut_connections(sources: Iterable[str]) -> str:
    """Make the kernel forget the connections that begin in address ranges, so that they are judged anew.

    Return in words why that was not possible; empty when it was done. Needs root on the host of the machines.
    """
    if os.geteuid() != 0:
        return "only root on the host of the machines can cut them"
    if shutil.which(PROGRAM) is None:
        return "the Debian package conntrack is not installed"
    return "; ".join(sorted({words for words in in_parallel(_cut, sources) if words}))


def _cut(source: str) -> str:
    command = [PROGRAM, "-D", "--orig-src", source]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 or NONE in done.stderr else done.stderr.strip()
