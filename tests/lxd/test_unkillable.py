"""SIGKILL at sampled API calls of each stage on a real LXD: the run after it ends as an undisturbed one.

Every call is killed against the fake, in tests/unit/faults; here are twenty in all, one after another in each stage:
every run goes on from what the killed ones before it left.
"""

import re
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from classroom import LONE, Classroom, documents, normalised
from killing_proxy import KillingProxy
from lxd_fixtures import OpenClassroom

from practicum.lxd.lock import KEY
from practicum.stages.pipeline import commit_lab

pytestmark = pytest.mark.lxd

SPEC = {**LONE, "students": 2, "volumes": {"home": {"size": "32MiB", "mount": "/home/student"}}}
# Changing requests, counted in each run anew; odd ones are killed before LXD gets them, even ones after it answered.
MOMENTS = (1, 4, 5, 8, 11)
DIGESTS = re.compile(r"\b[0-9a-f]{12}(?:[0-9a-f]{52})?\b")


@pytest.fixture(scope="module")
def proxy(open_shared: OpenClassroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillingProxy]:
    classroom = open_shared(SPEC)
    with KillingProxy(tmp_path_factory.mktemp("proxy") / "lxd.socket", classroom.lxd.socket) as proxy:
        proxy.classroom = classroom  # type: ignore[attr-defined]
        yield proxy


@pytest.fixture(scope="module")
def classroom(proxy: KillingProxy) -> Classroom:
    """Return a lab that is committed, whose command line meets LXD through the proxy."""
    found: Classroom = proxy.classroom  # type: ignore[attr-defined]
    changes = {}
    for environment in ("dev", "prod"):
        path = f"environments/{environment}/platform.yaml"
        platform = yaml.safe_load(found.repository.sources("HEAD").read(path))
        changes[path] = yaml.safe_dump({**platform, "lxd": {"socket": str(proxy.path)}}).encode()
    found.repository.commit(changes, "Put a proxy before LXD")
    commit_lab(found.workspace, found.lab)
    return found


def killed_often(classroom: Classroom, proxy: KillingProxy, *verb: str) -> int:
    """Run a command with a kill at each of the moments, then to its end; return how often it was killed."""
    kills = 0
    for moment in MOMENTS:
        proxy.arm(moment, "before" if moment % 2 else "after")
        ended = classroom.say("--yes", *verb)
        assert ended.returncode in (-signal.SIGKILL, 0), ended.stderr
        kills += ended.returncode == -signal.SIGKILL
    proxy.arm(0, "")
    done(classroom, *verb)
    return kills


def done(classroom: Classroom, *verb: str) -> None:
    ended = classroom.say("--yes", *verb)
    assert ended.returncode == 0, ended.stderr


def facts(classroom: Classroom, environment: str) -> Mapping[str, Any]:
    """Return an environment's objects without times, identities and digests of what was made anew."""
    found = documents(classroom.lxd, f"{classroom.installation}/{environment}/")
    assert not any(KEY in one.get("config", {}) for one in found.values())
    plain = normalised(found)
    for one in plain.values():
        for key in ("user.practicum.ready", "user.practicum.pace"):
            one.get("config", {}).pop(key, None)
    text: dict[str, Any] = yaml.safe_load(DIGESTS.sub("DIGEST", yaml.safe_dump(plain)))
    return text


def thesis(classroom: Classroom, environment: str, machine: str) -> str:
    return classroom.read(environment, machine, "cat /home/student/thesis")


@pytest.mark.timeout(1800)
def test_every_stage_survives_kills_at_sampled_calls(classroom: Classroom, proxy: KillingProxy) -> None:
    lab = classroom.lab
    kills = killed_often(classroom, proxy, "provision", lab)
    dev = facts(classroom, "dev")
    classroom.wipe("dev")
    classroom.provision("dev")
    assert facts(classroom, "dev") == dev
    classroom.read("dev", "prof-web", "echo mine > /home/student/thesis")

    kills += killed_often(classroom, proxy, "checkpoint", lab, "-m", "killed often")
    assert facts(classroom, "dev").keys() == dev.keys() | {key for key in facts(classroom, "dev") if "pilot" in key}
    pins = classroom.repository.committed(f"environments/dev/{lab}")[f"environments/dev/{lab}/release.json"].decode()
    images = [one for one in classroom.lxd.get("images", recursion=1) if is_of(classroom, one)]
    proved = classroom.repository.tags(f"release/{lab}/").values()
    assert all(one["fingerprint"] in pins or any(one["fingerprint"] in text for text in proved) for one in images)
    done(classroom, "promote", lab)

    kills += killed_often(classroom, proxy, "deliver", lab)
    prod = facts(classroom, "prod")
    classroom.wipe("prod")
    done(classroom, "deliver", lab)
    assert facts(classroom, "prod") == prod
    classroom.read("prod", "s001-web", "echo hers > /home/student/thesis")
    done(classroom, "deliver", lab)
    assert thesis(classroom, "prod", "s001-web") == "hers"
    assert thesis(classroom, "dev", "prof-web") == "mine"

    kills += killed_often(classroom, proxy, "destroy", lab, "--env", "prod", "--without-export")
    assert documents(classroom.lxd, f"{classroom.installation}/prod/") == {}
    assert thesis(classroom, "dev", "prof-web") == "mine"
    done(classroom, "destroy", lab, "--env", "dev", "--without-export")
    assert documents(classroom.lxd, f"{classroom.installation}/") == {}
    assert kills >= 18, proxy.killed


def is_of(classroom: Classroom, image: Mapping[str, Any]) -> bool:
    carried = image["properties"].get("user.practicum", "")
    return carried.startswith(f"{classroom.installation}/-/") and "practicum.checkpoint" in image["properties"]
