"""One small shell program that tries connections from inside a machine, with what Debian or busybox offers."""

from collections.abc import Sequence
from dataclasses import dataclass

from practicum.probes.model import Executor

# Arguments are HOST PORT pairs; prints `HOST PORT open|closed` for each, all tried at once. Port 0 is an echo request.
# `nc` gives up connecting after two seconds, but once connected to a silent service busybox's stays: one that is ended
# by force was connected.
REACH = """
try() {
  if [ "$2" = 0 ]; then ping -c 1 -W 2 "$1" >/dev/null 2>&1
  elif command -v bash >/dev/null 2>&1; then timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null
  else
    timeout 4 nc -w 2 "$1" "$2" </dev/null >/dev/null 2>&1
    case $? in 0 | 124 | 143) ;; *) false ;; esac
  fi && echo "$1 $2 open" || echo "$1 $2 closed"
}
while [ $# -gt 1 ]; do try "$1" "$2" & shift 2; done
wait
"""
# Prints the HTTP status of a page, 000 when there is no answer. `wget -T` crashes in Debian's busybox-static 1.35.
STATUS = """
if command -v curl >/dev/null 2>&1; then curl -s -o /dev/null -m 5 -w '%{http_code}' "$1"
else timeout 5 wget -S -q -O /dev/null "$1" 2>&1 | sed -n 's,.*HTTP/[0-9.]* \\([0-9]*\\).*,\\1,p' | tail -n 1; fi
"""


# Each try is a process of its own, in a container with little memory.
TARGETS_AT_ONCE = 64
# Stands for a port where a machine has none that is known: it answers an echo request.
ECHO = 0


@dataclass(frozen=True)
class Target:
    """A TCP port of an address, or ECHO."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}" if self.port else f"{self.address} (ping)"


def reachable(execute: Executor, instance: str, targets: Sequence[Target]) -> set[Target] | None:
    """Return which targets a machine can connect to, or None when the attempt could not be made.

    The machine is asked even where there is no target: that it answers is known then.
    """
    found: set[Target] = set()
    for first in range(0, max(1, len(targets)), TARGETS_AT_ONCE):
        part = _reachable(execute, instance, targets[first : first + TARGETS_AT_ONCE])
        if part is None:
            return None
        found |= part
    return found


def _reachable(execute: Executor, instance: str, targets: Sequence[Target]) -> set[Target] | None:
    pairs = [word for target in targets for word in (target.address, str(target.port))]
    result = execute(instance, ["sh", "-c", REACH, "sh", *pairs])
    lines = [line.split() for line in result.stdout.splitlines()]
    answers = {Target(words[0], int(words[1])): words[2] for words in lines if len(words) == 3}
    if set(answers) != set(targets):
        return None
    return {target for target, answer in answers.items() if answer == "open"}


def http_status(execute: Executor, instance: str, url: str) -> str:
    """Return the HTTP status that a machine gets from a page, `000` for no answer."""
    return execute(instance, ["sh", "-c", STATUS, "sh", url]).stdout.strip() or "000"
