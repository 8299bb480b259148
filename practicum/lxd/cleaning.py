"""Clean the copy that becomes a checkpoint: identities, logs, histories, keys, on the system disk and on volumes.

The list is data. The copy runs with an init that only waits, without network: no service of the machine starts.
"""

from importlib.resources import files

import yaml

from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdError

# Each argument is a path with shell wildcards; spaces in it are no separators. Prints what is removed.
REMOVE = """
IFS=
for pattern in "$@"; do
  for path in $pattern; do
    if [ -e "$path" ] || [ -L "$path" ]; then rm -rf -- "$path" && echo "$path"; fi
  done
done
"""


def cleaning_list() -> list[dict[str, str]]:
    """Return the entries of cleaning.yaml: `path` and `why`."""
    text = files("practicum.lxd").joinpath("cleaning.yaml").read_text(encoding="utf-8")
    entries: list[dict[str, str]] = yaml.safe_load(text)
    return entries


def clean(lxd: Lxd, project: str, instance: str, extra: tuple[str, ...] = ()) -> list[str]:
    """Remove what the list names, and the `extra` paths, from a running copy; return what was removed.

    Raises LxdError when something could not be removed: it would reach every student.
    """
    patterns = [*(entry["path"] for entry in cleaning_list()), *extra]
    result = lxd.run(instance, ["sh", "-c", REMOVE, "sh", *patterns], project=project)
    if result.exit_code or result.stderr.strip():
        raise LxdError(f"{instance} could not be cleaned", details=result.stderr)
    return result.stdout.splitlines()
