"""Search the copy that becomes a checkpoint for secrets: every file of its system and of its volumes, once.

The search runs in the copy, with tools that every image has. What is compressed or encrypted inside a file is not seen.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError

# In memory in every machine, so the list itself is never on the disk that is published.
LIST = "/dev/practicum-secrets"
SECONDS = 3000
# What a copy may use: nobody can say how long the lines of a file are.
MEMORY = {"limits.memory": "1GiB"}
# Files are read in groups: two thousand processes for a Debian, not thirty thousand. A line ends at a zero byte too, so
# that images of disks have lines. One that is too long for the copy's memory gets grep killed, which then says nothing:
# that is an error. Prints the number of a line of the list and the path, for each pair that was found.
SEARCH = r"""
LIST=$1 LC_ALL=C
export LIST LC_ALL
trap 'rm -f "$LIST"' EXIT
[ -s "$LIST" ] || { echo "the list of secrets did not arrive" >&2; exit 1; }
find / \( -path /proc -o -path /sys -o -path /dev \) -prune -o -type f -print0 | xargs -0 -n 200 sh -c '
case $(cat -- "$@" | tr -s "\000\n" "\n" | grep -c -F -f "$LIST") in
  0) exit 0 ;;
  "") echo "too little memory for a line of one of the files from $1 on" >&2; exit 1 ;;
esac
for file; do
  number=0
  while IFS= read -r secret; do
    number=$((number + 1))
    [ "$(tr -s "\000\n" "\n" < "$file" | grep -c -F -e "$secret")" = 0 ] || echo "$number $file"
  done < "$LIST"
done' sh
"""
HIT = re.compile(r"(\d+) (/.*)")


@dataclass(frozen=True)
class Secret:
    """A text that may be nowhere, and what people call it."""

    name: str
    value: str


@dataclass(frozen=True, order=True)
class Finding:
    """Where a secret was found: never what it is."""

    machine: str
    path: str
    secret: str


def search(lxd: Lxd, project: str, instance: str, machine: str, secrets: Sequence[Secret]) -> list[Finding]:
    """Return where a running copy, its volumes among it, has one of the secrets.

    Raises LxdError when it could not be searched whole: nobody could say what students would get.
    """
    if not secrets:
        return []
    headers = {"X-LXD-mode": "0400", "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-type": "file"}
    # Latin-1 gives each byte back as it was read.
    data = "".join(f"{secret.value}\n" for secret in secrets).encode("latin-1", errors="replace")
    lxd.upload("instances", instance, "files", data=data, headers=headers, project=project, path=LIST)
    result = lxd.run(instance, ["sh", "-c", SEARCH, "sh", LIST], project=project, timeout=SECONDS)
    if result.exit_code or result.stderr.strip():
        raise LxdError(f"{machine} could not be searched for secrets", details=result.stderr.strip()[-500:])
    hits = [match for line in result.stdout.splitlines() if (match := HIT.fullmatch(line))]
    return sorted({Finding(machine, match[2], secrets[int(match[1]) - 1].name) for match in hits})
