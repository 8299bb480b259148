"""Codes, their page and their cases belong together."""

import re
from pathlib import Path

from generator.diagnostics.codes import codes, render_reference

ROOT = Path(__file__).parents[3]


def used_in(paths):
    return {code for path in paths for code in re.findall(r"PRA[0-9]{3}", path.read_text(encoding="utf-8"))}


def test_every_code_of_the_source_is_explained_and_the_other_way_round():
    source = [*(ROOT / "generator").rglob("*.py"), ROOT / "schemas" / "hints.yaml"]
    assert used_in(source) == set(codes())


def test_every_code_has_a_case():
    assert set(codes()) <= used_in((ROOT / "tests" / "errors").glob("*/expected.txt"))


def test_the_page_is_made_from_the_codes():
    assert (ROOT / "docs" / "reference" / "diagnostics.md").read_text(encoding="utf-8") == render_reference()


def test_every_code_has_its_anchor():
    headings = re.findall(r"^## (PRA[0-9]{3})$", render_reference(), re.MULTILINE)
    assert headings == sorted(codes())


def test_every_explanation_is_a_sentence():
    assert all(entry["text"].strip().endswith(".") and not entry["title"].endswith(".") for entry in codes().values())
