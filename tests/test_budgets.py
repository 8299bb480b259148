"""The budgets of docs and style: small files, small functions, few packages, nothing that belongs to a workplace."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("generator", "practicum")
# What npm brings for the web page is not ours, and not committed.
MODULES = sorted(
    path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.relative_to(ROOT).parts
)
# Put together from parts, so that this file does not hold what it looks for.
WORKPLACES = [f"/{name}/" for name in ("work", "workspace", "builds")] + [
    f"/home/{name}" for name in ("runner", "user")
]
REGISTRIES = [
    "/".join(("", "simple", "")),
    "-".join(("index", "url")),
    "_".join(("index", "url")),
    "".join(("arti", "factory")),
    "".join(("dev", "pi.")),
    ".".join(("pythonhosted", "org")),
    "_".join(("pip", "find", "links")),
]
PRIVATE_HOST = re.compile(r"https?://[^/\s\"'`)>]*\.(?:internal|corp|lan|local)\b")
BINARY = {".png", ".jpg", ".ico", ".gz", ".woff2"}


def functions(path):
    """Return (place, lines) of every function of a module, without its decorators."""
    tree = ast.parse(path.read_text("utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1) for node in found
    ]


def length(path):
    return len(path.read_text("utf-8").splitlines())


def files_of_the_repository():
    """Return the files that git has or would add; without git, those of the rooms."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the repository is not a git checkout")
    found = [ROOT / name for name in listed if name]
    return [path for path in found if path.is_file() and not path.is_symlink() and path.suffix not in BINARY]


def text_of(path):
    return path.read_bytes().decode("utf-8", errors="replace")


def test_files_are_small():
    assert statistics.median(map(length, MODULES)) <= 130
    assert [f"{path.relative_to(ROOT)}: {length(path)}" for path in MODULES if length(path) > 500] == []


def test_functions_are_small():
    found = list(chain.from_iterable(map(functions, MODULES)))
    assert len(found) > 300
    assert statistics.median(lines for _place, lines in found) <= 8
    assert [f"{place}: {lines}" for place, lines in found if lines > 60] == []


def test_every_module_says_what_it_is_for():
    silent = [
        path
        for path in MODULES
        if path.read_text("utf-8").strip() and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_every_public_function_is_annotated():
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        and (node.returns is None or any(one.annotation is None for one in (*node.args.kwonlyargs, *_own(node))))
    ]
    assert bare == []


def _own(node):
    listed = [*node.args.posonlyargs, *node.args.args]
    return [one for one in listed if one.arg not in ("self", "cls")]


def test_no_room_has_the_name_of_nothing():
    nothing = {"utils", "helpers", "common", "manager", "handler", "misc"}
    assert [path for path in MODULES if nothing & set(path.relative_to(ROOT).with_suffix("").parts)] == []


def test_the_generator_needs_at_most_four_packages():
    tops = set()
    for path in (ROOT / "generator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                tops |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                tops.add(node.module.split(".")[0])
    packages = tops - set(sys.stdlib_module_names) - {"generator"}
    assert packages <= {"jinja2", "yaml", "jsonschema", "click"}
    assert len(packages) <= 4


def requirements():
    """Return the lines of pyproject.toml that name a dependency, those that name Practicum's own extras aside."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    named = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    outside = [name for name in named if not name.startswith("practicum[")]
    return {name: [line for line in text.splitlines() if f'"{name}"' in line] for name in outside}


def test_every_dependency_says_why_it_is_there():
    found = requirements()
    assert len(found) > 8
    for name, lines in found.items():
        assert lines, name
        assert all(re.search(r"#\s+\S+", line) for line in lines), f"{name} has no comment"


def test_every_dependency_has_a_lower_bound():
    assert [name for name in requirements() if ">=" not in name] == []


def test_no_file_holds_the_path_of_a_workplace():
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files_of_the_repository()
        for word in WORKPLACES
        if re.search(rf"(?<![\w.\-]){re.escape(word)}", text_of(path))
    ]
    assert found == []


def test_no_file_holds_the_address_of_a_registry():
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files_of_the_repository()
        for word in (
            *(word for word in REGISTRIES if word in text_of(path).lower()),
            *PRIVATE_HOST.findall(text_of(path)),
        )
    ]
    assert found == []
