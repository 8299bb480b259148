"""The package works as a wheel, outside of the checkout, with all the data it needs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SPEC = "version: 1\ntitle: A lab\nstudents: 2\nmachines:\n  web: {type: webserver}\n"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Return a folder with the content of the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, CHECKOUT]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(unpacked: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the wheel's command line in a folder outside of the checkout."""
    program = "from practicum.cli.main import main; main()"
    command = [sys.executable, "-P", "-c", program, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_brings_its_own_modules_and_data(unpacked, tmp_path):
    program = "import practicum, generator; print(practicum.__file__, generator.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-P", "-c", program]
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert all(place.startswith(str(unpacked)) for place in found.stdout.split())
    assert (unpacked / "generator/schemas/lab.schema.json").is_file()


def test_a_repository_is_made_and_a_lab_generated_with_the_wheel_alone(unpacked, tmp_path):
    assert run(unpacked, tmp_path, "types").stdout.count("webserver") == 1
    made = run(unpacked, tmp_path, "init", "labs-repository")
    assert made.returncode == 0, made.stderr
    repository = tmp_path / "labs-repository"
    assert (repository / "labs/_examples/firewall.lab.yaml").is_file()
    assert run(unpacked, repository, "new", "net101/wall", "--from", "firewall").returncode == 0
    assert "default:" in run(unpacked, repository, "explain", "machines.kind").stdout
    (repository / "labs/net101/web.lab.yaml").write_text(SPEC)
    assert run(unpacked, repository, "validate").returncode == 0
    generated = run(unpacked, repository, "generate")
    assert generated.returncode == 0, generated.stderr
    assert "webserver" in (repository / "environments/dev/net101/web/lxd/shared.yaml").read_text()
