"""Every folder beside this file is a bad repository with the exact text that its author reads.

`PRACTICUM_WRITE_GOLDEN=1 pytest tests/errors` writes the texts anew; read the difference as a professor would.
"""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from generator.catalogue.load import load_catalogue
from generator.diagnostics.diagnostic import Diagnostic
from generator.diagnostics.report import report
from generator.generate import find_labs, read_edition
from generator.spec.reader import MAX_BYTES
from generator.spec.rules.files import LARGEST
from generator.spec.sources import Status
from generator.spec.units import MIB

HERE = Path(__file__).parent
CASES = sorted(path.name for path in HERE.iterdir() if (path / "labs").exists() or (path / "environments").exists())
# Cases whose files are only written out while they are read: the file, and how many bytes more it has.
TOO_LARGE = {"file-too-large": (".lab.yaml", MAX_BYTES), "file-for-data": (".dump", LARGEST + MIB)}
TODAY = date(2026, 9, 1)


@dataclass(frozen=True)
class FolderSources:
    """A repository on disk; links that leave the course's folder are outside."""

    root: Path

    def status(self, path: str) -> Status:
        place = self.root / path
        course = self.root.joinpath(*path.split("/")[:2]).resolve()
        if place.exists() and not place.resolve().is_relative_to(course):
            return "outside"
        return "folder" if place.is_dir() else "file" if place.is_file() else "missing"

    def read(self, path: str) -> bytes:
        data = (self.root / path).read_bytes()
        name, more = TOO_LARGE.get(self.root.name, ("", 0))
        return data + b"#" * more if path.endswith(name) else data

    def files(self, folder: str) -> list[str]:
        found = (self.root / folder).rglob("*")
        return sorted(path.relative_to(self.root).as_posix() for path in found if path.is_file())


def problems(sources: FolderSources) -> list[Diagnostic]:
    """Return what is wrong with the repository, the way `practicum validate` finds it."""
    return list(read_edition(sources, load_catalogue(), find_labs(sources), TODAY).diagnostics)


@pytest.mark.parametrize("case", CASES)
def test_every_bad_repository_has_its_exact_text(case):
    sources = FolderSources(HERE / case)
    text = report("text", problems(sources), read=lambda path: (HERE / case / path).read_bytes())
    expected = HERE / case / "expected.txt"
    if os.environ.get("PRACTICUM_WRITE_GOLDEN"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_every_bad_repository_says_what_it_proves(case):
    texts = [path.read_bytes() for path in (HERE / case).rglob("*.yaml") if path.is_file()]
    assert any("# Proves: ".encode(encoding) in text for text in texts for encoding in ("utf-8", "utf-16-le"))


def test_there_are_cases():
    assert len(CASES) >= 130
