"""What is done inside machines: packages, files and scripts, each recorded on the machine after it is done."""

import base64
import hashlib
import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from generator.render.definitions import canonical
from practicum.errors import PracticumError
from practicum.events import Emit, Event
from practicum.lxd.client import CommandResult, Lxd
from practicum.lxd.desired import Instance
from practicum.lxd.plan import STEPS

Step = Mapping[str, Any]
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

    def run(self, instance: Instance) -> bool:
        """Do what is not recorded as done; each step is recorded after it, so a kill repeats at most one.

        Returns whether all is done: a changed `run` script waits until somebody agrees to run it again.
        """
        whole = True
        done = self._recorded(instance)
        self._command(instance, ["sh", "-c", WAIT_FOR_BOOT], "waiting for the machine to boot")
        for step in instance.steps:
            name, digest = _name(step), _digest(step)
            if done.get(name) == digest:
                continue
            if step["kind"] == "run" and name in done and not self._repeat:
                self._warn(instance, f"{name} changed and was not run again; 'practicum provision LAB --yes' runs it")
                whole = False
                continue
            self._emit(Event("provision", "started", name, instance.seat, instance.machine))
            self._do(instance, step)
            done[name] = digest
            self._record(instance, done)
        return whole

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
        config = self._lxd.get("instances", instance.name, project=self._project)["config"]
        return dict(json.loads(config.get(STEPS, "{}")))

    def _record(self, instance: Instance, done: Mapping[str, str]) -> None:
        body = {"config": {STEPS: json.dumps(done, sort_keys=True)}}
        self._lxd.patch("instances", instance.name, body=body, project=self._project)

    def _warn(self, instance: Instance, text: str) -> None:
        self._emit(Event("provision", "warning", text, instance.seat, instance.machine))


def _name(step: Step) -> str:
    if step["kind"] == "packages":
        return "packages"
    return f"{step['kind']} {step.get('to') or step['name']}"


def _digest(step: Step) -> str:
    return base64.b32encode(hashlib.sha256(canonical(step).encode()).digest())[:16].decode()
