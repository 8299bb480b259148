"""Where an LXD answers: sockets, and URLs with files that must be there, fit each other, and be kept private."""

import subprocess
from pathlib import Path

import pytest
import yaml

from practicum.errors import InputError, PracticumError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.lxd.endpoints import Endpoint
from practicum.stages.init import init
from practicum.stages.shell import client_settings
from practicum.stages.workspace import Workspace, endpoint_of, platforms_of

URL = "https://127.0.0.1:9"


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """Return a certificate and its key."""
    folder = tmp_path_factory.mktemp("pair")
    certificate, key = folder / "client.crt", folder / "client.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*command, "-subj", "/CN=t", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key


def test_a_socket_has_no_session_and_a_url_of_its_own():
    endpoint = Endpoint.at_socket("/run/some/unix.socket")
    assert (endpoint.is_remote, endpoint.session()) == (False, None)
    assert endpoint.url == "http+unix://%2Frun%2Fsome%2Funix.socket"


def test_a_session_listens_to_the_platform_file_alone(pair):
    session = Endpoint(URL + "/", *pair, pair[0]).session()
    assert session.trust_env is False
    assert session.cert == tuple(map(str, pair))


def test_the_fingerprint_is_what_openssl_says(pair):
    said = subprocess.run(
        ["openssl", "x509", "-in", pair[0], "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True
    )
    assert Endpoint(URL, *pair, pair[0]).fingerprint == said.stdout.split("=")[1].strip().replace(":", "").lower()


@pytest.mark.parametrize("place", ["certificate", "key", "server_certificate"])
def test_a_file_that_is_not_there_is_named(pair, place):
    files = {"certificate": pair[0], "key": pair[1], "server_certificate": pair[0], place: Path("/nonexistent/file")}
    with pytest.raises(UnavailableError, match="there is no file /nonexistent/file") as caught:
        Lxd(Endpoint(URL, **files)).get()
    assert f"lxd: {place}" in caught.value.resolution


def test_files_that_do_not_fit_or_are_none(pair, tmp_path):
    (tmp_path / "text").write_text("no certificate\n")
    with pytest.raises(InputError, match="is no certificate in PEM form"):
        Lxd(Endpoint(URL, *pair, tmp_path / "text")).get()
    with pytest.raises(InputError, match="is not the key of"):
        Lxd(Endpoint(URL, pair[0], pair[0], pair[0])).get()


def test_nobody_there_is_told_without_talk_of_a_socket(pair):
    with pytest.raises(UnavailableError, match=f"no answer from LXD at {URL}") as caught:
        Lxd(Endpoint(URL, *pair, pair[0])).get()
    assert "core.https_address" in caught.value.resolution


def test_a_key_that_others_can_read_is_told(pair, tmp_path):
    key = tmp_path / "client.key"
    key.write_text(pair[1].read_text())
    key.chmod(0o640)
    (told,) = Endpoint(URL, pair[0], key).warnings()
    assert f"chmod 600 {key}" in told
    key.chmod(0o600)
    assert Endpoint(URL, pair[0], key).warnings() == []


def test_environments_share_a_client_exactly_when_they_share_an_lxd(pair, tmp_path):
    repository = init(tmp_path / "labs")
    path = "environments/prod/platform.yaml"
    platform = yaml.safe_load(repository.sources("HEAD").read(path))
    lxd = {"url": URL, "certificate": str(pair[0]), "key": "keys/client.key"}
    platforms = dict(platforms_of(repository.sources("HEAD")))
    workspace = Workspace(repository)
    assert workspace.lxd(platforms["dev"]) is workspace.lxd(platforms["prod"])
    repository.commit({path: yaml.safe_dump({**platform, "lxd": lxd}).encode()}, "Another host")
    prod = platforms_of(repository.sources("HEAD"))["prod"]
    assert workspace.lxd(prod) is not workspace.lxd(platforms["dev"])
    assert workspace.lxd(prod) is workspace.lxd(prod)
    assert endpoint_of(repository.root, prod).key == repository.root / "keys/client.key"


def test_lxds_own_client_gets_a_configuration_that_goes_away(pair):
    with client_settings(Endpoint(URL, *pair, pair[0])) as settings:
        folder = Path(settings["LXD_CONF"])
        content = yaml.safe_load((folder / "config.yml").read_text())
        assert content["remotes"]["practicum"]["addr"] == URL
        assert (folder / "client.key").readlink() == pair[1]
        assert (folder / "servercerts/practicum.crt").read_text() == pair[0].read_text()
    assert not folder.exists()
    assert pair[1].exists()


def test_errors_never_show_a_key(pair):
    with pytest.raises(PracticumError) as caught:
        Lxd(Endpoint(URL, *pair, pair[0])).get()
    assert "PRIVATE KEY" not in f"{caught.value.message}{caught.value.details}{caught.value.resolution}"
