"""What a Jenkins that `jenkins/casc` configures has: plugins, agents, folders with their credentials, and jobs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from practicum.errors import UnavailableError

PLUGINS = (
    "configuration-as-code",
    "credentials-binding",
    "git",
    "gitlab-branch-source",
    "job-dsl",
    "job-restrictions",
    "junit",
    "lockable-resources",
    "matrix-auth",
    "pipeline-groovy-lib",
    "timestamper",
    "workflow-aggregator",
)
AGENTS = ("practicum-dev", "practicum-prod", "practicum-verify")
# The folder of merge requests must not have what pushes: anybody who can push a branch chooses what its jobs run.
PUSHES = "practicum-git"
CREDENTIALS = {
    "practicum/verify": ("practicum-read", "practicum-comment"),
    "practicum/main": (PUSHES,),
    "practicum/dev": (PUSHES,),
    "practicum/prod": (PUSHES,),
}
BRANCH_JOBS = ("practicum/verify/labs", "practicum/main/labs")
MAIN_JOB = "practicum/main/labs/main"


@dataclass(frozen=True)
class Job:
    """A pipeline job: the step of the library that it calls, and the names of its parameters."""

    call: str
    parameters: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The job's pipeline."""
        return f"@Library('practicum') _\n{self.call}\n"


def _command(verb: str, environment: str, *parameters: str) -> Job:
    return Job(f"practicumCommand(verb: '{verb}', environment: '{environment}')", ("LAB", *parameters))


JOBS: Mapping[str, Job] = {
    "practicum/dev/lab": Job("practicumLab(environment: 'dev')", ("LAB",)),
    "practicum/dev/checkpoint": _command("checkpoint", "dev", "MESSAGE"),
    "practicum/dev/create": _command("create", "dev", "TYPE", "NAME", "CPU", "MEMORY", "DISK"),
    "practicum/dev/destroy": _command("destroy", "dev", "CONFIRM", "KEEP_VOLUMES"),
    "practicum/prod/lab": Job("practicumLab(environment: 'prod')", ("LAB", "WHEN", "BY")),
    "practicum/prod/deploy": _command("deploy", "prod"),
    "practicum/prod/rollback": _command("rollback", "prod"),
    "practicum/prod/undo": _command("undo", "prod"),
    "practicum/prod/destroy": _command("destroy", "prod", "CONFIRM", "KEEP_VOLUMES"),
    "practicum/prod/schedule": Job("practicumSchedule()"),
    "practicum/prod/nightly": Job("practicumSchedule(nightly: true)"),
}


def differences(job: Job, configuration: str) -> list[str]:
    """Return in words what a job's config.xml says otherwise. Raises UnavailableError for what is no configuration."""
    try:
        # Jenkins says XML 1.1, which this parser does not know, and writes nothing of it. It is the operator's own.
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml.*?\?>", "", configuration))  # noqa: S314
    except ElementTree.ParseError as error:
        raise UnavailableError("the configuration of a job is no XML", details=str(error)) from error
    found = []
    if (root.findtext("definition/script") or "").strip() != job.script.strip():
        found.append("its script is another one")
    if root.findtext("definition/sandbox") != "true":
        found.append("it runs outside of the sandbox")
    names = tuple(name.text or "" for name in root.findall(".//parameterDefinitions/*/name"))
    if names != job.parameters:
        found.append(f"its parameters are {', '.join(names) or 'none'}, not {', '.join(job.parameters) or 'none'}")
    if root.findtext("disabled") == "true":
        found.append("it is disabled")
    return found
