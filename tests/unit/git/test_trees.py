"""What the generator reads: the working tree and commits give the same answers."""

import os

import pytest

from practicum.errors import UsageError

pytestmark = pytest.mark.parametrize("home", ["plain"], indirect=True)

TREE = ["plain.yaml", "deep/er/file", "ünï cödé\t.txt"]
LINKS = {
    "near": "plain.yaml",
    "deep/up": "../plain.yaml",
    "folder": "deep",
    "dangling": "nothing",
    "out": "../other/secret",
    "far": "../../../../etc/passwd",
    "absolute": "/etc/passwd",
    "circle": "circle",
    "round": "../net101/plain.yaml",
    "chain": "folder/up",
    "outfolder": "../other",
    "git": "../../.git",
}


@pytest.fixture(params=["disk", "commit"])
def sources(request, repository, user):
    labs = repository.root / "labs"
    for path in TREE:
        (labs / "net101" / path).parent.mkdir(parents=True, exist_ok=True)
        (labs / "net101" / path).write_bytes(f"{path}\r\n".encode())
    (labs / "other").mkdir()
    (labs / "other" / "secret").write_text("exam")
    (labs / "linked").symlink_to("net101")
    for path, target in LINKS.items():
        (labs / "net101" / path).symlink_to(target)
    user(repository.root, "add", "--all")
    user(repository.root, "commit", "--quiet", "-m", "tree")
    if request.param == "disk":
        return repository.sources(None)
    sources = repository.sources("HEAD")
    user(repository.root, "rm", "-r", "--quiet", "labs")  # a commit does not change with the disk
    return sources


STATUS = {
    "labs/net101/plain.yaml": "file",
    "labs/net101/deep": "folder",
    "labs/net101/deep/": "folder",
    "labs/net101": "folder",
    "labs": "folder",
    ".": "folder",
    "": "folder",
    "labs/net101/nothing": "missing",
    "labs/net101/plain.yaml/below": "missing",
    "labs/" + "x" * 5000: "missing",
    "labs/net101/near": "file",
    "labs/net101/deep/up": "file",
    "labs/net101/folder": "folder",
    "labs/net101/folder/er/file": "file",
    "labs/net101/chain": "file",
    "labs/net101/round": "file",
    "labs/net101/dangling": "missing",
    "labs/net101/circle": "missing",
    "labs/net101/out": "outside",
    "labs/net101/outfolder/secret": "outside",
    "labs/net101/far": "outside",
    "labs/net101/absolute": "outside",
    "labs/net101/git/config": "outside",
    "labs/linked/plain.yaml": "outside",
    "labs/net101/../other/secret": "outside",
    "/etc/passwd": "outside",
    "labs/\0": "outside",
    ".git/config": "outside",
    "environments/dev/net101": "folder",
}


def test_status(sources):
    assert {path: sources.status(path) for path in STATUS} == STATUS


def test_read(sources):
    assert sources.read("labs/net101/deep/up") == b"plain.yaml\r\n"
    assert sources.read("labs/net101/folder/er/file") == b"deep/er/file\r\n"


def test_read_gives_nothing_that_is_no_file_inside(sources):
    for path in ["out", "far", "absolute", "dangling", "deep", "nothing", "circle", "../other/secret"]:
        with pytest.raises(KeyError):
            sources.read(f"labs/net101/{path}")


def test_files_are_sorted_and_links_stand_for_themselves(sources):
    expected = sorted(f"labs/net101/{path}" for path in ["firewalls.lab.yaml", *TREE, *LINKS])
    assert sources.files("labs/net101") == sources.files("labs/net101/") == expected
    assert sources.files("labs/net101/deep") == ["labs/net101/deep/er/file", "labs/net101/deep/up"]


def test_files_below_a_linked_folder_keep_its_name(sources):
    assert sources.files("labs/net101/folder") == ["labs/net101/folder/er/file", "labs/net101/folder/up"]


def test_files_of_no_folder(sources):
    folders = ["labs/net101/plain.yaml", "nothing", "labs/net101/outfolder", "/etc", ".git"]
    assert [sources.files(folder) for folder in folders] == [[]] * len(folders)


def test_files_of_everything_skips_git(sources):
    everything = sources.files("")
    assert "labs/net101/plain.yaml" in everything
    assert not [path for path in everything if path.startswith(".git/")]


def test_a_large_file(repository):
    data = os.urandom(1024) * 11 * 1024
    repository.commit({"labs/net101/image.bin": data}, "Large")
    assert repository.sources(None).read("labs/net101/image.bin") == data
    assert repository.sources("HEAD").read("labs/net101/image.bin") == data


def test_working_tree_reads_what_is_there_now(repository):
    sources = repository.sources(None)
    (repository.root / "labs/net101/new.lab.yaml").write_text("version: 1\n")
    assert sources.files("labs")[-1] == "labs/net101/new.lab.yaml"


def test_no_such_commit(repository):
    for commit in ["nothing", "--all", "", "HEAD^{tree}", "HEAD:labs"]:
        with pytest.raises(UsageError, match="no commit"):
            repository.sources(commit)
