"""A fake Jenkins that misbehaves as the real one does."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))

from jenkins_server import TOKEN, USER, FakeJenkins

from practicum.jenkins.gateway import JenkinsGateway


@pytest.fixture
def server():
    with FakeJenkins() as fake:
        yield fake
    assert fake.unknown == []


@pytest.fixture
def gateway(server):
    return JenkinsGateway(server.url, USER, TOKEN, pause=lambda _seconds: None)
