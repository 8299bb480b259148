"""Tell operators by a command of theirs: one JSON object on its input, at most once a day for each cause.

When it last told what stands in `.practicum/alerts.json` of the checkout, which git ignores. That is no state of the
labs: without the file somebody is told once more.
"""

import json
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from generator.spec.platform import Platform
from practicum.events import Event
from practicum.files import write_atomically
from practicum.stages.workspace import Workspace

STAGE = "alerts"
MEMORY = ".practicum/alerts.json"
QUIET = timedelta(days=1)
SECONDS = 60


@dataclass(frozen=True)
class Alerts:
    """What tells the operators of an environment. `now` has an offset from UTC."""

    workspace: Workspace
    platform: Platform
    now: datetime

    def tell(self, cause: str, message: str) -> bool:
        """Run the operators' command for a cause; say whether it was told. A command that fails is a warning."""
        command = self.platform.settings.get("alerts", {}).get("command")
        told = self._told()
        if not command or self._is_quiet(told.get(cause)):
            return False
        words = _run(command, json.dumps(self._document(cause, message), ensure_ascii=False))
        if words:
            self.workspace.emit(Event(STAGE, "warning", f"the command of 'alerts:' failed: {words}"))
            return False
        self._remember({**told, cause: self.now.isoformat()})
        return True

    def _document(self, cause: str, message: str) -> dict[str, str]:
        return {
            "installation": self.platform.installation,
            "environment": self.platform.environment,
            "time": self.now.isoformat(timespec="seconds"),
            "cause": cause,
            "message": message,
        }

    @property
    def _memory(self) -> Path:
        return self.workspace.repository.root / MEMORY

    def _told(self) -> dict[str, str]:
        try:
            found = json.loads(self._memory.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _is_quiet(self, last: str | None) -> bool:
        try:
            return last is not None and self.now - datetime.fromisoformat(last) < QUIET
        except (ValueError, TypeError):
            return False

    def _remember(self, told: dict[str, str]) -> None:
        write_atomically(self._memory, json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def _run(command: list[str], document: str) -> str:
    """Run a command with a document on its input; return in words why it failed, empty when it did not."""
    try:
        done = subprocess.run(command, input=document.encode(), capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"it did not end within {SECONDS} s"
    except OSError as error:
        return str(error)
    return f"exit code {done.returncode} {done.stderr.decode(errors='replace').strip()}" if done.returncode else ""
