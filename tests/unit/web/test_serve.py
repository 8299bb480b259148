"""`practicum web` before it serves: what it refuses, and what it says is missing."""

from pathlib import Path

import pytest

from practicum.cli.main import run
from practicum.errors import UnavailableError, UsageError
from practicum.web import assets
from practicum.web.serve import serve


def test_an_address_that_others_reach_needs_a_certificate(site, monkeypatch):
    monkeypatch.setattr("practicum.web.serve.require_vendor_files", lambda: None)
    with pytest.raises(UsageError, match="in the clear"):
        serve(site.folder, "0.0.0.0", 8080, None, print)  # noqa: S104 - it is what must be refused


def test_missing_browser_files_are_named_with_the_command_that_brings_them(site, monkeypatch):
    gone = {"htmx.js": assets.FOLDER / "node_modules/htmx.org/dist/gone.js"}
    monkeypatch.setattr(assets, "VENDOR", gone)
    with pytest.raises(UnavailableError) as refused:
        serve(site.folder, "127.0.0.1", 8080, None, print)
    assert "node_modules/htmx.org/dist/gone.js" in refused.value.details
    assert "npm install --no-package-lock" in refused.value.resolution


def test_a_certificate_needs_its_key(site, tmp_path, capfd):
    (tmp_path / "chain.pem").write_text("")
    code = run(["-C", str(site.folder), "web", "--certificate", str(tmp_path / "chain.pem")])
    assert code == 2
    assert "belong together" in capfd.readouterr().err


def test_what_browsers_get_is_exact_and_names_no_registry():
    text = (Path(assets.__file__).parent / "package.json").read_text()
    assert "://" not in text
    assert "^" not in text
    assert "~" not in text
    assert not (Path(assets.__file__).parent / "package-lock.json").exists()
