"""Builds of the library: one JVM that runs them under Jenkins' CPS semantics, and what became of each."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "jenkins"
HARNESS = Path(__file__).parent / "harness"
JARS = ROOT / ".venv/jenkins"
TOKENS = ("practicum-git", "practicum-comment")
# A stand-in of the command line: it notes its words and answers as `answers.json` says.
PROGRAM = f"""#!{sys.executable} -IS
import json, os, pathlib, sys, time
place = pathlib.Path(__file__).parent
words = sys.argv[1:]
with (place / "calls.jsonl").open("a") as file:
    left = [name for name in os.environ if name.startswith("PRACTICUM_") and name != "PRACTICUM_REPOSITORY"]
    file.write(json.dumps([words, os.environ.get("CREDENTIALS", ""), left]) + "\\n")
for key, answer in json.loads((place / "answers.json").read_text()):
    if " ".join(words).startswith(key):
        mark, text = answer.get("after", ["never", ""])
        print(text if (place / mark).exists() else answer["output"])
        if "started" in answer:
            pathlib.Path(answer["started"]).touch()
            time.sleep(60)
        if "marks" in answer:
            (place / answer["marks"]).touch()
        sys.exit(answer.get("code", 0))
sys.exit("the stand-in was not told what to answer: " + repr(words))
"""


def need_parts():
    """Skip where what runs the library is missing, or fail where this need is required (`PRACTICUM_REQUIRE`)."""
    reason = ""
    if shutil.which("java") is None:
        reason = "there is no java"
    elif not (JARS / ".installed").exists():
        reason = f"{JARS} was not installed: scripts/install.sh"
    if reason and "jenkins" in os.environ.get("PRACTICUM_REQUIRE", "").split(","):
        pytest.fail(f"jenkins is required: {reason}")
    if reason:
        pytest.skip(reason)


@dataclass(frozen=True)
class End:
    """How a build ended: `record` is every step with its options, in order; `builds` are those that it started."""

    result: str
    failure: str
    description: str
    name: str
    record: list
    builds: list

    def steps(self, name):
        return [one for one in self.record if one["step"] == name]

    @property
    def stages(self):
        return [one["options"]["name"] for one in self.steps("stage")]

    @property
    def outline(self):
        """The names of the steps, in order."""
        return [one["step"] for one in self.record]


class Controller:
    """The JVM."""

    def __init__(self, log: Path):
        jars = ":".join(str(path) for path in sorted((JARS / "cps").glob("*.jar")))
        options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss4m"]
        command = ["java", *options, "-cp", f"{jars}:{HARNESS}", "groovy.ui.GroovyMain", str(HARNESS / "Main.groovy")]
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [*command, str(LIBRARY), str(HARNESS / "cps/Steps.groovy")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._log_path = log

    def run(self, *tasks):
        """Run builds at the same time; return their ends."""
        try:
            self._process.stdin.write(json.dumps(tasks) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        assert answer, self._log_path.read_text()
        return [End(**one) for one in json.loads(answer)]

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
        self._log.close()


@dataclass
class Site:
    """A controller's jobs with their agents, and the stand-in of the command line that the agents have."""

    controller: Controller
    folder: Path
    answers: list = field(default_factory=list)

    def __post_init__(self):
        (self.folder / "bin").mkdir()
        program = self.folder / "bin/practicum"
        program.write_text(PROGRAM)
        program.chmod(0o755)

    def answer(self, words, output="", **how):
        """Say what the command line answers to what begins with these words; what is said last counts.

        `code`: its exit code; `started`: a file to make before it hangs; `marks`: a name to note, `after`: such a name
        and the output from then on.
        """
        text = output if isinstance(output, str) else json.dumps(output)
        self.answers.insert(0, (words, {"output": text, **how}))

    def task(self, jenkinsfile, *, env=(), params=(), faults=(), credentials=TOKENS, path=None, **more):
        """Return a build to run."""
        labels = ("practicum-dev", "practicum-prod", "practicum-verify")
        system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {
            "jenkinsfile": jenkinsfile,
            "env": {"BUILD_NUMBER": "7", "PRACTICUM_REPOSITORY": "labs", **dict(env)},
            "params": dict(params),
            "agents": {label: str(self.folder / label) for label in labels},
            "credentials": list(credentials),
            "faults": {str(number): what for number, what in dict(faults).items()},
            "shell": {"PATH": f"{path or self.folder / 'bin'}:{system}", "HOME": str(self.folder)},
            **more,
        }

    def run(self, jenkinsfile, **choice):
        return self.run_together(self.task(jenkinsfile, **choice))[0]

    def run_together(self, *tasks):
        (self.folder / "bin/answers.json").write_text(json.dumps(self.answers))
        return self.controller.run(*tasks)

    @property
    def calls(self):
        """The command lines that were run, each as its words."""
        return [words for words, _credentials, _left in self._calls()]

    @property
    def calls_with_credentials(self):
        return [words for words, credentials, _left in self._calls() if credentials]

    @property
    def left_in_environment(self):
        """What the library set for its own script and the command line could see."""
        return [name for _words, _credentials, left in self._calls() for name in left]

    def _calls(self):
        path = self.folder / "bin/calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
