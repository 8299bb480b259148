"""`practicum web` before it serves: what it refuses, and what it says is missing."""

import getpass
import shlex
from configparser import ConfigParser
from pathlib import Path

import pytest

from practicum.cli.main import run
from practicum.errors import UnavailableError, UsageError
from practicum.web import assets
from practicum.web.serve import serve
from practicum.web.unit import unit_file


def test_an_address_that_others_reach_needs_a_certificate(site, monkeypatch):
    monkeypatch.setattr("practicum.web.serve.require_vendor_files", lambda: None)
    with pytest.raises(UsageError, match="in the clear"):
        serve(site.folder, "0.0.0.0", 8080, None, None, print)  # noqa: S104 - it is what must be refused


def test_missing_browser_files_are_named_with_the_command_that_brings_them(site, monkeypatch):
    gone = {"htmx.js": assets.FOLDER / "node_modules/htmx.org/dist/gone.js"}
    monkeypatch.setattr(assets, "VENDOR", gone)
    with pytest.raises(UnavailableError) as refused:
        serve(site.folder, "127.0.0.1", 8080, None, None, print)
    assert "node_modules/htmx.org/dist/gone.js" in refused.value.details
    assert "npm install --no-package-lock" in refused.value.resolution


def test_a_certificate_needs_its_key(site, tmp_path, capfd):
    (tmp_path / "chain.pem").write_text("")
    code = run(["-C", str(site.folder), "web", "--certificate", str(tmp_path / "chain.pem")])
    assert code == 2
    assert "belong together" in capfd.readouterr().err


def test_a_unit_is_printed_and_nothing_is_served(site, tmp_path, capfd, monkeypatch):
    for name in ("chain.pem", "a key.pem"):
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["/opt/practicum/bin/practicum"])
    options = ["--host", "labs.example.edu", "--certificate", "chain.pem", "--key", "a key.pem"]
    assert run(["-C", str(site.folder), "web", *options, "--unit"]) == 0
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(capfd.readouterr().out)
    assert unit["Service"]["User"] == getpass.getuser()
    assert shlex.split(unit["Service"]["ExecStart"]) == [
        *(
            "/opt/practicum/bin/practicum",
            "-C",
            str(site.folder),
            "web",
            "--host",
            "labs.example.edu",
            "--port",
            "8080",
        ),
        *("--certificate", str(tmp_path / "chain.pem"), "--key", str(tmp_path / "a key.pem")),
    ]


def test_what_systemd_would_expand_is_plain_in_a_unit():
    unit = unit_file(Path("/srv/100%"), "ada", ["practicum", "-C", "/srv/100%", "a b", 'c"$HOME'])
    assert 'ExecStart=practicum -C /srv/100%% "a b" "c\\"$$HOME"\n' in unit
    assert "WorkingDirectory=/srv/100%%\n" in unit


def test_what_browsers_get_is_exact_and_names_no_registry():
    text = (Path(assets.__file__).parent / "package.json").read_text()
    assert "://" not in text
    assert "^" not in text
    assert "~" not in text
    assert not (Path(assets.__file__).parent / "package-lock.json").exists()
