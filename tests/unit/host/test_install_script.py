"""The install script and the versions it installs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/install.sh"


def test_shellcheck_finds_nothing() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_constraints_are_exact_versions_without_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_every_program_that_setup_needs_is_installed() -> None:
    from practicum.stages.host import PROGRAMS

    listed = re.search(r"PACKAGES=\((.*?)\)", SCRIPT.read_text(), re.DOTALL)
    assert listed
    assert set(PROGRAMS.values()) <= set(listed.group(1).split())
