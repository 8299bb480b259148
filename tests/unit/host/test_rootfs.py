"""Building root file systems, with a stand-in for mmdebstrap that knows only the options we use."""

import fcntl
import hashlib
import os
import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from generator.catalogue.model import Artefact, Image
from practicum.errors import InputError, PermissionsError, PracticumError, UnavailableError
from practicum.lxd import rootfs

IMAGE = Image("bookworm", ("nginx", "curl"), {"/etc/motd": "hello\n"}, ("echo 'it''s'",))

# Refuses what it does not know, keeps the staged files and counts its runs; FAKE says how it ends.
FAKE = """#!/bin/sh
[ "$1 $2 $3" = "--mode=root --variant=minbase --include=curl,nginx" ] || exit 64
shift 3
for word; do case $word in
  --dpkgopt=path-*|--customize-hook=*) ;;
  --essential-hook=*) hook=${word#*=} ;;
  -*) echo "unknown: $word"; exit 64 ;;
  *.tar.zst) target=$word ;;
esac; done
echo run >> "$RUNS"
mkdir -p "$TMPDIR/root" && sh -c "$hook" exec "$TMPDIR/root"
echo "I: installing remaining packages inside the chroot..."
[ "$FAKE" = slow ] && { trap "" TERM; touch "$RUNS.slow"; until [ -e "$RUNS.go" ]; do sleep 0.02; done; }
[ "$FAKE" = fail ] && { echo "E: no such package"; exit 25; }
cat "$TMPDIR/root/etc/motd" > "$target"
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "mmdebstrap"
    program.parent.mkdir()
    program.write_text(FAKE)
    program.chmod(0o755)
    runs = tmp_path / "runs"
    runs.touch()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("RUNS", str(runs))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return runs


def cached(tmp_path: Path, said: list[str] | None = None, image: Image = IMAGE) -> Path:
    return rootfs.cached_rootfs(image, None, (said if said is not None else []).append, tmp_path / "cache")


def names(tmp_path: Path) -> set[str]:
    return {path.suffix for path in (tmp_path / "cache").iterdir()}


def test_a_recipe_is_built_once(fake: Path, tmp_path: Path) -> None:
    said: list[str] = []
    first = cached(tmp_path, said)
    assert first.read_text() == "hello\n"
    assert said == ["installing packages"]
    assert cached(tmp_path) == first
    assert fake.read_text() == "run\n"
    assert cached(tmp_path, image=replace(IMAGE, scripts=())) != first


def test_a_failed_build_leaves_nothing_and_says_why(
    fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "fail")
    with pytest.raises(PracticumError) as caught:
        cached(tmp_path)
    assert "E: no such package" in caught.value.details
    assert names(tmp_path) == {".lock"}
    monkeypatch.setenv("FAKE", "")
    assert cached(tmp_path).exists()


def test_an_interrupted_build_leaves_nothing(fake: Path, tmp_path: Path) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rootfs.cached_rootfs(IMAGE, None, interrupt, tmp_path / "cache")
    assert names(tmp_path) == {".lock"}


def test_what_a_killed_build_left_is_removed_by_the_next(fake: Path, tmp_path: Path) -> None:
    target = cached(tmp_path)
    target.unlink()
    (target.with_suffix(".work") / "root").mkdir(parents=True)
    assert cached(tmp_path) == target
    assert not target.with_suffix(".work").exists()


def test_of_other_recipes_only_what_no_build_uses_is_removed(fake: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    for name in ("dead.tar.work", "alive.tar.work"):
        (folder / name).mkdir(parents=True)
    with (folder / "alive.tar.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cached(tmp_path)
    assert {path.name for path in folder.glob("*.work")} == {"alive.tar.work"}


def test_a_second_builder_waits_for_the_first(fake: Path, tmp_path: Path) -> None:
    target = cached(tmp_path)
    target.unlink()
    said: list[str] = []
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=cached, args=(tmp_path, said))
        second.start()
        while not said:
            second.join(0.01)
        target.write_text("made by the first")
    second.join(10)
    assert said == ["waiting for another build of the same image"]
    assert target.read_text() == "made by the first"
    assert fake.read_text() == "run\n"


def test_a_build_whose_starter_was_killed_is_waited_for(fake: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    starter = os.fork()
    if starter == 0:
        os.environ["FAKE"] = "slow"
        rootfs.cached_rootfs(IMAGE, None, lambda _: None, folder)
    slow = fake.with_name("runs.slow")
    while not slow.exists():
        time.sleep(0.01)
    os.kill(starter, signal.SIGKILL)
    os.waitpid(starter, 0)
    with next(folder.glob("*.lock")).open("w") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fake.with_name("runs.go").touch()
    assert cached(tmp_path).read_text() == "hello\n"
    assert names(tmp_path) == {".lock", ".zst"}


def test_without_mmdebstrap_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError) as caught:
        cached(tmp_path)
    assert "apt-get install mmdebstrap" in caught.value.resolution


def test_without_root_nothing_is_written(fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PermissionsError):
        cached(tmp_path)
    assert not (tmp_path / "cache").exists()


def test_scripts_reach_the_shell_as_written() -> None:
    command = rootfs.mmdebstrap_command(IMAGE, None, Path("/staged"), Path("/out.tar"))
    hook = next(word for word in command if word.startswith("--customize-hook=")).partition("=")[2]
    shown = subprocess.run(
        ["sh", "-c", f'chroot() {{ shift 3; printf %s "$1"; }}; {hook}', "exec"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == IMAGE.scripts[0]


def test_sources_follow_the_mirror() -> None:
    assert rootfs.apt_sources("bookworm", None) == []
    assert rootfs.apt_sources("bookworm", "http://mirror.test/debian/") == [
        "deb http://mirror.test/debian bookworm main",
        "deb http://mirror.test/debian bookworm-updates main",
        "deb http://mirror.test/debian-security bookworm-security main",
    ]
    assert len(rootfs.apt_sources("bookworm", "http://mirror.test/own")) == 2


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/ada/.cache")
    assert rootfs.cache_folder() == Path("/home/ada/.cache/practicum/images")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert rootfs.cache_folder() == Path("/var/cache/practicum/images")


def _with_artefact(path: Path, content: bytes) -> Image:
    artefact = Artefact(str(path), hashlib.sha256(content).hexdigest())
    return replace(IMAGE, artefacts={"/usr/local/bin/k3s": artefact})


def test_an_artefact_is_put_in_as_a_program(tmp_path: Path) -> None:
    (tmp_path / "k3s").write_bytes(b"program")
    rootfs._stage_files(_with_artefact(tmp_path / "k3s", b"program"), tmp_path / "staged")
    staged = tmp_path / "staged/usr/local/bin/k3s"
    assert staged.read_bytes() == b"program"
    assert staged.stat().st_mode & 0o777 == 0o755


def test_another_file_than_the_operator_named_is_refused_with_both_sums(tmp_path: Path) -> None:
    (tmp_path / "k3s").write_bytes(b"another")
    with pytest.raises(InputError, match="is not the file that platform") as caught:
        rootfs._stage_files(_with_artefact(tmp_path / "k3s", b"program"), tmp_path / "staged")
    assert hashlib.sha256(b"another").hexdigest() in caught.value.details
    assert hashlib.sha256(b"program").hexdigest() in caught.value.details


def test_an_artefact_that_is_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=f"{tmp_path}/k3s"):
        rootfs._stage_files(_with_artefact(tmp_path / "k3s", b"program"), tmp_path / "staged")
