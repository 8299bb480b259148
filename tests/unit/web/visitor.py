"""What a person does with the web page, without a browser."""

import html
import re
import time
from dataclasses import dataclass

import yaml
from starlette.testclient import TestClient

from generator.catalogue.load import load_catalogue
from practicum.lxd.images import image_properties
from practicum.web.site import Site

ORIGIN = "http://127.0.0.1:8080"
OURS = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
LAB = "net101/small"
NEW = {
    "lab": LAB,
    "title": "Small",
    "students": "2",
    "type": "webserver",
    "name": "web",
    "cpu": "",
    "memory": "64MiB",
    "disk": "256MiB",
}
INSTALLATION = "webtests"
AREAS = {"dev": "10.64.0.0/13", "prod": "10.72.0.0/13"}
IMAGE = {"/etc/passwd": (b"student:x:1000:1000::/home/student:/bin/sh\n", 0, 0, 0o644)}


def settled(repository, lxd):
    """Commit platform files that lead to the fake LXD, and put the images of machine types there."""
    platform = {"installation": INSTALLATION, "professor_internet": "none", "lxd": {"socket": str(lxd.path)}}
    changes = {
        f"environments/{name}/platform.yaml": yaml.safe_dump({**platform, "addresses": area}).encode()
        for name, area in AREAS.items()
    }
    repository.commit(changes, "Settle where the tests work")
    repository.publish()
    types = load_catalogue()
    for name in ("debian", "webserver"):
        lxd.world.add_image(image_properties(types[name], INSTALLATION), IMAGE)


def sign_in(site, client):
    """Use a login link as a person does."""
    token = site.login_link().partition("token=")[2]
    answer = client.post("/login", data={"token": token}, headers=OURS)
    assert answer.status_code == 303, answer.text
    return answer


@dataclass
class Visitor:
    """Somebody who has signed in."""

    site: Site
    client: TestClient

    def get(self, path):
        return self.client.get(path)

    def post(self, path, **data):
        return self.client.post(path, data=data, headers=OURS)

    def text(self, path):
        """Return what stands on a page, without its markup."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return words(answer.text)

    def agree(self, path, **data):
        """Send a form and agree to the change that is shown; return the job."""
        return self.ended(self.agree_raw(path, **data))

    def agree_raw(self, path, **data):
        """Send a form and agree to the change that is shown; return the answer."""
        shown = self.post(path, **data)
        assert shown.status_code == 200, words(shown.text)
        digest = re.search(r'name="agreed" value="(\w+)"', shown.text)[1]
        return self.post(path, **data, agreed=digest)

    def deployed(self, lab=LAB, **data):
        """Look at the plan, agree to it, and return the job."""
        shown = self.get(f"/labs/{lab}/deploy")
        assert shown.status_code == 200, words(shown.text)
        checkpoint = re.search(r'name="checkpoint" value="(\d+)"', shown.text)[1]
        return self.ended(self.post(f"/labs/{lab}/deploy", checkpoint=checkpoint, **data))

    def ended(self, answer):
        """Return the job that an answer leads to, once it has ended."""
        assert answer.status_code == 303, words(answer.text)
        job = self.site.jobs.find(answer.headers["location"].rsplit("/", 1)[1])
        deadline = time.monotonic() + 60
        while job.state == "running":
            assert time.monotonic() < deadline, job
            time.sleep(0.02)
        return job

    def created(self, **changes):
        """Create a container in a new lab; it must succeed."""
        job = self.agree("/create/container", **{**NEW, **changes})
        assert job.state == "done", (job.error, job.error and job.error.details, job.lines)
        return job


def words(page):
    """Return a page's text in one line, as a person reads it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
