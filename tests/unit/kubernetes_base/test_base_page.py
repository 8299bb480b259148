"""The base that the how-to shows is good, and the error that it shows is the one that people get."""

import re
from pathlib import Path

from generator.catalogue.load import load_catalogue
from generator.spec.load import load_lab, load_platforms
from generator.spec.sources import MappingSources

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/how-to/write-a-kubernetes-base.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^`(labs/[^`]+)`:\n\n```[a-z ]+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_base_of_the_page_is_good():
    files = {match[1]: match[2].encode() for match in BLOCK.finditer(PAGE)}
    assert len(files) == 4
    sources = MappingSources(files)
    loaded = load_lab(sources, "labs/cloud101/shop.lab.yaml", load_catalogue(), load_platforms(sources).platforms)
    assert loaded.diagnostics == ()
    assert loaded.lab.kubernetes.base == "labs/cloud101/k8s"


def test_the_error_of_the_page_is_a_real_one():
    shown = PAGE.split("```text\n")[1].split("```")[0].strip()
    told = (ROOT / "tests/errors/kubernetes-weakened-by-patches/expected.txt").read_text(encoding="utf-8")
    assert shown in told
