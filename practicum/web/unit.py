"""The web page as a service of systemd: what `practicum web --unit` prints."""

from collections.abc import Sequence
from pathlib import Path

__all__ = ["unit_file"]

UNIT = """\
[Unit]
Description=Practicum's web page of {folder}
After=network-online.target lxd.service snap.lxd.daemon.service
Wants=network-online.target

[Service]
User={user}
WorkingDirectory={folder}
ExecStart={command}
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
"""


def unit_file(folder: Path, user: str, command: Sequence[str]) -> str:
    """Return the unit that runs a command as a user in the folder of a repository."""
    return UNIT.format(
        folder=str(folder).replace("%", "%%"), user=user, command=" ".join(_quoted(word) for word in command)
    )


def _quoted(word: str) -> str:
    """Return a word of a command line as systemd.service(5) reads it."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return text if text and not any(one in " \t'\\\";" for one in text) else f'"{text}"'
