"""A lab in git, and its copies as Kustomize builds them."""

from functools import cache
from pathlib import Path

from practicum.kubernetes.shards import build_copies

GOLDEN = (
    Path(__file__).parents[1] / "golden" / "kubernetes" / "expected" / "environments" / "prod" / "cloud101" / "shop"
)
PROJECT = "pcea5jur-prod-cloud101-shop"
SEATS = ("prof", "s001", "s002")


def files(**replaced):
    """Return the files below `kubernetes`; `replaced` are texts in them and what stands in their place."""
    folder = GOLDEN / "kubernetes"
    found = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}
    for before, after in replaced.items():
        assert any(before in text for text in found.values())
        found = {path: text.replace(before, after) for path, text in found.items()}
    return {path: text.encode() for path, text in found.items()}


@cache
def copies(seats=SEATS, **replaced):
    return build_copies(files(**replaced), seats, lambda kind, argument, seat: f"{kind} {argument} of {seat}")
