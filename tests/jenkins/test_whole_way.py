"""The whole way, dev → merge → prod: the library, the real command line, git, and a fake that answers as LXD."""

import subprocess
import sys
from contextlib import ExitStack
from xml.etree import ElementTree

import pytest
import yaml
from gitlab_server import REPORTER, FakeGitLab
from job_runs import Site
from laboratory import LAB, environment, open_laboratory

MAIN = {"BRANCH_NAME": "main"}
# The real command line; only what it waits for in a machine that was just started is nothing here.
PROGRAM = f"""#!{sys.executable}
import sys
from practicum.cli.main import main
from practicum.lxd import power
power.SETTLE_SECONDS = 0
main(sys.argv[1:])
"""


class University(Site):
    """A repository of labs with its jobs, and an LXD."""

    def open(self, stack):
        """Make the repository and LXD; `stack` closes them."""
        self.laboratory = open_laboratory(self.folder, stack)
        self.origin = str(self.folder / "site" / "labs.git")
        (self.folder / "bin/practicum").write_text(PROGRAM)
        return self

    def git(self, *words):
        names = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        done = subprocess.run(
            ["git", "-C", self.laboratory.root, *names, *words], capture_output=True, text=True, env=environment()
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def merge_spec(self, **changes):
        """Merge a spec into main, as people do in GitLab."""
        self.git("pull", "--quiet", "--ff-only", "origin", "main")
        self.laboratory.write_spec(**changes)
        self.git("add", "labs")
        self.git("commit", "--quiet", "--message", "Edit the lab")
        self.git("push", "--quiet", "origin", "main")

    def merge_promotion(self):
        """Press the button of the merge request."""
        self.git("fetch", "--quiet", "origin")
        self.git("merge", "--quiet", "--ff-only", "origin/main")
        self.git("merge", "--quiet", "--no-ff", "--message", "Deploy it", f"origin/promote/{LAB}")
        self.git("push", "--quiet", "origin", "main", f":promote/{LAB}")

    def job(self, jenkinsfile, **choice):
        env = {**choice.pop("env", {}), "PRACTICUM_REPOSITORY": self.origin}
        return self.run(jenkinsfile, env=env, **choice)

    def main(self, **choice):
        """Run the job of main, and every job that it starts; return their ends."""
        end = self.job("practicumPipeline()", env=MAIN)
        assert end.result == "SUCCESS", end.failure
        return [self.lab(one["job"].split("/")[2], **one["parameters"], **choice) for one in end.builds]

    def lab(self, environment, LAB, **choice):  # noqa: N803 - the parameter of the job
        return self.job(f"practicumLab(environment: '{environment}')", params={"LAB": LAB}, **choice)


@pytest.fixture
def university(controller, tmp_path):
    with ExitStack() as stack:
        yield University(controller, tmp_path).open(stack)


def test_a_merged_spec_reaches_the_class_by_two_merges(university):
    university.merge_spec()
    (dev,) = university.main()
    assert (dev.result, dev.description) == ("SUCCESS", f"{LAB} in dev: done"), dev.failure
    report = university.folder / "practicum-dev/practicum-reports/smoke-dev.xml"
    assert [one.get("name") for one in ElementTree.parse(report).iter("testsuite")] == ["prof"]
    # The bot's own push starts main once more: nothing to do, so no loop.
    before = university.git("ls-remote", "origin", "main")
    assert university.main() == []
    assert university.git("ls-remote", "origin", "main") == before
    university.merge_promotion()
    (prod,) = university.main()
    assert (prod.result, prod.stages) == ("SUCCESS", ["deliver"]), prod.failure
    seats = {name for _, name in university.laboratory.lxd.world.instances if name.startswith("s0")}
    assert seats == {"s001-web", "s002-web"}
    assert university.main() == []


def test_what_fails_on_the_way_reaches_nobody_and_a_mended_spec_does(university):
    university.merge_spec(checks=[{"name": "never", "tcp": {"machine": "web", "port": 81}, "wait": "0s"}])
    (dev,) = university.main()
    assert (dev.result, dev.stages) == ("FAILURE", ["provision dev", "smoke dev"])
    report = ElementTree.parse(university.folder / "practicum-dev/practicum-reports/smoke-dev.xml")
    assert [one.get("name") for one in report.iter("testcase") if one.find("failure") is not None] == ["never"]
    assert "promote" not in university.git("ls-remote", "origin")
    university.merge_spec()
    (dev,) = university.main(faults={4: "lost"})
    assert (dev.result, dev.stages[-1]) == ("SUCCESS", "promote"), dev.failure


def test_two_builds_of_one_lab_at_once_do_its_work_once(university):
    university.merge_spec()
    university.job("practicumPipeline()", env=MAIN)
    env = {"PRACTICUM_REPOSITORY": university.origin}
    task = university.task("practicumLab(environment: 'dev')", params={"LAB": LAB}, env=env)
    ends = university.run_together(task, task)
    assert sorted(end.description for end in ends) == [f"{LAB} in dev: done", f"{LAB} in dev: nothing was due"]
    assert [end.result for end in ends] == ["SUCCESS"] * 2


@pytest.fixture
def gitlab(university):
    """GitLab with a merge request of the branch `change`, checked out where its job runs."""
    with FakeGitLab().running() as fake:
        fake.role, fake.tokens = REPORTER, {"stand-in": fake.users[0]}
        university.git("-C", university.origin, "config", "receive.advertisePushOptions", "true")
        path = university.laboratory.root / "environments/prod/platform.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "git": {"project": fake.url}}))
        university.git("commit", "--quiet", "--all", "--message", "Name the project")
        university.merge_spec()
        end = university.job("practicumMain()")
        assert end.result == "SUCCESS", end.failure
        university.git("pull", "--quiet", "--ff-only", "origin", "main")
        university.git("switch", "--quiet", "--create", "change")
        fake.open_request(fake.users[1], source_branch="change", target_branch="main")
        yield fake


def answer(university, gitlab):
    """Push the branch `change`, run its job, and return the end and the comments."""
    university.git("push", "--quiet", "--force", "origin", "change")
    gitlab.branches["change"] = university.git("rev-parse", "HEAD").strip()
    place = university.folder / "practicum-verify"
    if not place.exists():
        university.git("clone", "--quiet", university.origin, str(place))
    university.git("-C", str(place), "fetch", "--quiet", "origin")
    university.git("-C", str(place), "checkout", "--quiet", "--detach", "origin/change")
    end = university.job("practicumPipeline()", env={"CHANGE_ID": "1"}, credentials=("practicum-comment",))
    return end, [note["body"] for note in gitlab.notes.get(1, [])]


def test_a_merge_request_is_answered_in_it_and_the_answer_follows_it(university, gitlab):
    university.laboratory.write_spec(students=3)
    university.git("commit", "--quiet", "--all", "--message", "One more student")
    end, (said,) = answer(university, gitlab)
    assert (end.result, end.stages) == ("SUCCESS", ["review", "validate", "preview"]), end.failure
    assert "1 new student" in said
    rendered = university.folder / "practicum-verify/practicum-reports/preview"
    assert len({path.name for path in rendered.rglob("s00*")}) == 3
    university.laboratory.write_spec(studnets=3)
    university.git("commit", "--quiet", "--all", "--message", "A typing error")
    end, (said,) = answer(university, gitlab)
    assert (end.result, end.stages) == ("FAILURE", ["review", "validate"])
    assert "not valid, 1 error" in said
