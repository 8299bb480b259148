"""The pages of the documentation as tests see them: fenced blocks, links and headings."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^(```+)([^\n`]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block: what stands behind the fence, its text, and the line of its page where it begins."""

    page: str
    line: int
    tag: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> list[Block]:
    text, page = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
    return [
        Block(page, text[: match.start()].count("\n") + 1, match[2].strip(), match[3])
        for match in _FENCE.finditer(text)
    ]


BLOCKS = [block for path in PAGES for block in blocks_of(path)]


def tagged(*tags: str) -> list[Block]:
    """Return the blocks with one of the tags."""
    return [block for block in BLOCKS if block.tag in tags]


def prose(path: Path) -> str:
    """Return a page's text without fenced blocks and code in the line."""
    return re.sub(r"`[^`]*`", "", _FENCE.sub("", path.read_text(encoding="utf-8")))


def links_of(path: Path) -> list[str]:
    """Return the targets of a page's links that lead to other pages or places."""
    found = _LINK.findall(_FENCE.sub("", path.read_text(encoding="utf-8")))
    return [target for target in found if "://" not in target]


def anchors_of(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as git servers make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
