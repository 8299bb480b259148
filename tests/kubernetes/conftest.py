"""`api`: a real API server for the tests of a run; skipped with the reason where there is none."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))

from api_server import missing, running, write_kubeconfig
from argo_life import DEFINITION
from campus import open_campus
from cluster_life import living
from lxd_server import FakeLxd
from stand_in import definitions, serving

from practicum.kubernetes.client import Cluster


@pytest.fixture(scope="session")
def api(tmp_path_factory):
    """Return an API server that serves custom resources."""
    reason = missing()
    if reason and "kubernetes" in os.environ.get("PRACTICUM_REQUIRE", "").split(","):
        pytest.fail(f"kubernetes is required: {reason}")
    if reason:
        pytest.skip(reason)
    with running(tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(scope="session")
def stand_in(api):
    """Return the same server with stand-ins for built-in kinds."""
    api.define(*definitions())
    with serving(api) as server:
        yield server


@pytest.fixture(scope="module")
def life(stand_in):
    """Return the controllers of the cluster, at work; nothing is on the cluster when they begin and after."""
    with living(stand_in) as controllers:
        yield controllers
    controllers.end()


@pytest.fixture
def cluster(stand_in, tmp_path):
    """Return the cluster as Practicum sees it."""
    return Cluster("campus", write_kubeconfig(tmp_path / "kubeconfig", stand_in.url))


@pytest.fixture(scope="module")
def open_site(stand_in, life, tmp_path_factory):
    """Return what opens a university with a lab on this cluster, and a fake LXD."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr("practicum.lxd.endpoints.SOCKETS", ("/nonexistent/lxd.socket",))
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Ada")
            patch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))

        def opens(**platform):
            folder = tmp_path_factory.mktemp("campus")
            lxd = stack.enter_context(FakeLxd(folder / "lxd.socket"))
            return open_campus(folder, lxd, write_kubeconfig(folder / "kubeconfig", stand_in.url), **platform)

        yield opens


@pytest.fixture
def campus(open_site, life):
    """Return a university whose lab is written and nowhere else; what is on the cluster goes before."""
    life.end()
    life.missing.clear()
    return open_site()


@pytest.fixture(scope="module")
def delivered(open_site):
    """Return a university whose lab is delivered; each test leaves it so."""
    site = open_site()
    site.pipeline()
    return site


@pytest.fixture(scope="session")
def applications(api, stand_in):
    """Let the server know Argo CD's Applications; return what speaks with it."""
    api.define(DEFINITION)
    return stand_in
