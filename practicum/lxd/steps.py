"""What is done inside machines: packages, files and scripts, each recorded on the machine after it is done."""

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Literal

from practicum.errors import PracticumError
from practicum.events import Emit, Event
from practicum.lxd.client import CommandResult, Lxd
from practicum.lxd.delivered import Step, is_touched, recorded, step_digest, step_name
from practicum.lxd.desired import Instance
from practicum.lxd.plan import STEPS

# What becomes of a file that somebody changed since it was delivered: left, and told again by the next delivery; kept
# for good in place of the new one; or overwritten.
Touched = Literal["leave", "keep", "overwrite"]
WAIT_FOR_BOOT = "command -v systemctl >/dev/null || exit 0; systemctl is-system-running --wait >/dev/null; exit 0"
INSTALL = "export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -qy install --no-install-recommends "
# A new file belongs to the owner of the folder it is put in: what lands in a home is its user's.
PLACE = """
set -e
folder=$(dirname "$1")
[ -d "$folder" ] || mkdir -p "$folder"
chown "$(stat -c %u:%g "$folder")" "$2"
chmod "$3" "$2"
mv -f "$2" "$1"
"""
SCRIPT = "/run/practicum-script"
STAGED = "/.practicum-file"
LAST_LINES = 12
# A slow mirror or a large database takes its time; a step is cut off only when it hangs.
STEP_SECONDS = 3600


class StepRunner:
    """Does the steps of machines. `content(sha256)` gives a static file's bytes, `data(name, sha256)` large data."""

    def __init__(
        self,
        lxd: Lxd,
        project: str,
        emit: Emit,
        content: Callable[[str], bytes],
        data: Callable[[str, str], bytes],
        *,
        repeat_scripts: bool = False,
    ) -> None:
        self._lxd = lxd
        self._project = project
        self._emit = emit
        self._content = content
        self._data = data
        self._repeat = repeat_scripts

    def run(self, instance: Instance, touched: Touched = "overwrite") -> bool:
        """Do what is not recorded as done; each step is recorded after it, so a kill repeats at most one.

        Returns whether all is done: a changed `run` script waits until somebody agrees to run it again, and a file that
        is left until somebody chooses.
        """
        whole = True
        done = self._recorded(instance)
        self._command(instance, ["sh", "-c", WAIT_FOR_BOOT], "waiting for the machine to boot")
        for step in instance.steps:
            name, digest = step_name(step), step_digest(step)
            if done.get(name) == digest:
                continue
            own = touched != "overwrite" and self._is_touched(instance, step, done)
            if (step["kind"] == "run" and name in done and not self._repeat) or (own and touched == "leave"):
                self._tell_left(instance, step)
                whole = False
                continue
            self._emit(Event("provision", "started", name, instance.seat, instance.machine))
            if not own:
                self._do(instance, step)
            done[name] = digest
            self._record(instance, done)
        return whole

    def _is_touched(self, instance: Instance, step: Step, done: Mapping[str, str]) -> bool:
        name = step_name(step)
        if step["kind"] != "file" or name not in done:
            return False
        return is_touched(self._lxd, self._project, instance.name, step["to"], {done[name], step_digest(step)})

    def _tell_left(self, instance: Instance, step: Step) -> None:
        if step["kind"] == "run":
            words = f"{step_name(step)} changed and was not run again; 'practicum provision LAB --yes' runs it"
        else:
            words = f"{step['to']} was changed by hand and is left; 'practicum deliver LAB --changed …' decides"
        self._emit(Event("provision", "warning", words, instance.seat, instance.machine))

    def _do(self, instance: Instance, step: Step) -> None:
        kind = step["kind"]
        if kind == "packages":
            names = " ".join(map(shlex.quote, step["packages"]))
            self._command(instance, ["sh", "-c", INSTALL + names], "installing packages")
        elif kind == "file":
            self._file(instance, step)
        else:
            self._script(instance, step)

    def _file(self, instance: Instance, step: Step) -> None:
        content = self._bytes(step)
        self._push(instance, STAGED, content, step["mode"])
        command = ["sh", "-c", PLACE, "sh", step["to"], STAGED, step["mode"]]
        self._command(instance, command, f"writing {step['to']}")

    def _script(self, instance: Instance, step: Step) -> None:
        self._push(instance, SCRIPT, self._bytes(step), "0700")
        self._command(instance, ["sh", "-c", f"{SCRIPT}; status=$?; rm -f {SCRIPT}; exit $status"], step["name"])

    def _bytes(self, step: Step) -> bytes:
        if "content" in step:
            return str(step["content"]).encode()
        if "data" in step:
            return self._data(step["data"], step["sha256"])
        return self._content(step["sha256"])

    def _push(self, instance: Instance, path: str, content: bytes, mode: str) -> None:
        headers = {"X-LXD-mode": mode, "X-LXD-uid": "0", "X-LXD-gid": "0", "X-LXD-type": "file"}
        target = ("instances", instance.name, "files")
        self._lxd.upload(*target, data=content, headers=headers, project=self._project, path=path)

    def _command(self, instance: Instance, command: list[str], what: str) -> CommandResult:
        result = self._lxd.run(instance.name, command, project=self._project, timeout=STEP_SECONDS)
        if result.exit_code:
            words = (result.stderr.strip() or result.stdout.strip()).splitlines()[-LAST_LINES:]
            raise PracticumError(
                f"{what} failed on {instance.name} (exit code {result.exit_code})",
                details="\n".join(words),
                resolution=f"look inside: practicum shell COURSE/LAB {instance.seat} {instance.machine}",
            )
        return result

    def _recorded(self, instance: Instance) -> dict[str, str]:
        return recorded(self._lxd.get("instances", instance.name, project=self._project)["config"])

    def _record(self, instance: Instance, done: Mapping[str, str]) -> None:
        body = {"config": {STEPS: json.dumps(done, sort_keys=True)}}
        self._lxd.patch("instances", instance.name, body=body, project=self._project)
