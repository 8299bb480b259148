"""The Jenkins of an installation: whether it can do its work, whether its jobs are the right ones, and its builds."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from practicum.errors import PermissionsError, PracticumError, UnavailableError, UsageError
from practicum.jenkins.expected import AGENTS, BRANCH_JOBS, CREDENTIALS, JOBS, MAIN_JOB, PLUGINS, PUSHES, differences
from practicum.stages.preconditions.model import HostCheck
from practicum.stages.workspace import Workspace, platform_of

if TYPE_CHECKING:
    from practicum.jenkins.gateway import JenkinsGateway

APPLY = "practicum jenkins apply"
PASSED = "SUCCESS"
WEBHOOK = "GitLab shows below Settings, Webhooks what Jenkins answered to the last push"


def gateway_of(workspace: Workspace, url: str = "") -> "JenkinsGateway":
    """Return the Jenkins that the platform file names, or `url`, as the user of the environment. Raises UsageError."""
    try:
        from practicum.jenkins.gateway import JenkinsGateway  # and with it a client that no other verb needs
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"asking Jenkins needs the Python package '{error.name}'", resolution="pip install 'practicum[jenkins]'"
        ) from error
    named = platform_of(workspace.repository.sources(None), "dev").settings.get("jenkins") or {}
    address = url or str(named.get("url", ""))
    if not address:
        raise UsageError(
            "no Jenkins is named",
            resolution="write 'jenkins: {url: https://…}' into environments/dev/platform.yaml; or give --url",
        )
    user, token = (os.environ.get(f"PRACTICUM_JENKINS_{name}", "") for name in ("USER", "TOKEN"))
    if not user or not token:
        raise UsageError(
            "who asks Jenkins is not said",
            resolution="set PRACTICUM_JENKINS_USER and PRACTICUM_JENKINS_TOKEN, an API token from that user's page",
        )
    return JenkinsGateway(address, user, token)


def run_job(
    gateway: "JenkinsGateway",
    job: str,
    parameters: Mapping[str, str],
    seconds: float,
    told: Callable[[str], None],
    line: Callable[[str], None],
) -> str:
    """Start a build, wait for it to start for at most `seconds`, follow it to its end, and return its result.

    `told` hears why it waits, and then its number; `line` gets its log.
    """
    item = gateway.trigger(job, parameters)
    number = gateway.wait_for_start(job, item, time.monotonic() + seconds, told)
    told(f"build {number} of {job}")
    for text in gateway.follow(job, number):
        line(text)
    return gateway.result(job, number)


def apply(gateway: "JenkinsGateway") -> list[str]:
    """Let Jenkins read its configuration as code again; return the jobs that it still does not have."""
    gateway.reload()
    return [job for job in (*BRANCH_JOBS, *JOBS) if gateway.configuration(job) is None]


def drift(gateway: "JenkinsGateway") -> list[str]:
    """Return in words which jobs are missing, more, or not as they were configured."""
    found = []
    for name, job in JOBS.items():
        configuration = gateway.configuration(name)
        if configuration is None:
            found.append(f"{name} is missing")
        else:
            found += [f"{name}: {words}" for words in differences(job, configuration)]
    for folder in ("practicum/dev", "practicum/prod"):
        with suppress(PracticumError):  # a folder that is not there was told above, job by job
            found += [f"{one} is no job of Practicum" for one in gateway.jobs(folder) if one not in JOBS]
    return found


def diagnose(gateway: "JenkinsGateway", head: str = "") -> list[HostCheck]:
    """Look at all that a first green pipeline needs. Raises PracticumError when Jenkins does not let us in.

    `head` is the commit of origin's main, which the job of main should have seen; empty when it is not known.
    """
    version = gateway.version()
    checks = [HostCheck("sign-in", "ok", f"Jenkins {version}", "everything below is asked of it")]
    for ask in (_plugins, _agents, _jobs, _credentials, _queue):
        try:
            checks += ask(gateway)
        except PermissionsError as error:
            what = ask.__name__.strip("_")
            checks.append(HostCheck(what, "warning", "not shown", error.message, "ask again as an administrator"))
    return [*checks, _main(gateway, head)]


def _plugins(gateway: "JenkinsGateway") -> Iterator[HostCheck]:
    missing = sorted(set(PLUGINS) - set(gateway.plugins()))
    found = f"missing: {', '.join(missing)}" if missing else f"all {len(PLUGINS)}"
    fix = "install those of jenkins/plugins.txt and restart Jenkins" if missing else ""
    yield HostCheck("plugins", "missing" if missing else "ok", found, "the library uses their steps", fix)


def _agents(gateway: "JenkinsGateway") -> Iterator[HostCheck]:
    there, why = gateway.agents(), "builds wait for it"
    for name in AGENTS:
        wrong = there.get(name, "there is no such agent")
        fix = "systemctl status practicum-agent on its machine" if name in there else APPLY
        yield HostCheck(name, "missing", wrong, why, fix) if wrong else HostCheck(name, "ok", "connected", why)


def _jobs(gateway: "JenkinsGateway") -> Iterator[HostCheck]:
    missing = [job for job in (*BRANCH_JOBS, *JOBS) if gateway.configuration(job) is None]
    found = f"missing: {', '.join(missing)}" if missing else f"all {len(JOBS) + len(BRANCH_JOBS)}"
    yield HostCheck(
        "jobs", "missing" if missing else "ok", found, "people and main start them", APPLY if missing else ""
    )


def _credentials(gateway: "JenkinsGateway") -> Iterator[HostCheck]:
    for folder, wanted in CREDENTIALS.items():
        there = gateway.credentials(folder)
        if folder == "practicum/verify" and PUSHES in there:
            why = "whoever can push a branch can use it"
            yield HostCheck(folder, "missing", f"{PUSHES} is here", why, f"remove {PUSHES} from this folder")
        elif missing := [name for name in wanted if name not in there]:
            yield HostCheck(folder, "missing", f"no {', '.join(missing)}", "its jobs need it", APPLY)
        else:
            yield HostCheck(folder, "ok", ", ".join(wanted), "its jobs need it")


def _main(gateway: "JenkinsGateway", head: str) -> HostCheck:
    """Judge the last build of main: it fails when the library cannot be loaded, and is old when no webhook arrives."""
    why, build = "every push to main starts it", gateway.last_build(MAIN_JOB)
    if build is None:
        return HostCheck(MAIN_JOB, "missing", "never built", why, WEBHOOK)
    if build.result not in (PASSED, "UNSTABLE"):
        errors = [line for line in gateway.follow(MAIN_JOB, build.number) if "ERROR" in line]
        found = f"build {build.number}: {build.result}" + (f": {errors[-1]}" if errors else "")
        return HostCheck(MAIN_JOB, "missing", found, why, f"{gateway.url}/job/{MAIN_JOB.replace('/', '/job/')}")
    if head and head not in build.revisions:
        return HostCheck(MAIN_JOB, "warning", f"build {build.number} has not seen {head[:7]}", why, WEBHOOK)
    return HostCheck(MAIN_JOB, "ok", f"build {build.number}: {build.result}", why)


def _queue(gateway: "JenkinsGateway") -> Iterator[HostCheck]:
    waiting = gateway.waiting()
    for job, why in waiting.items():
        yield HostCheck(f"queue: {job}", "warning", why or "it waits", "it has not started", "see its agent above")
    if not waiting:
        yield HostCheck("queue", "ok", "nothing waits", "builds start at once")
