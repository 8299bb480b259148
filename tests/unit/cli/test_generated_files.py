"""Generated files on main and in requests: made by Practicum alone, whoever says that they made them."""

import os
import shutil
import subprocess

import pytest
from university import GOOD

LAB = "net101/firewalls"
DEV = f"environments/dev/{LAB}"


def git(root, *words):
    done = subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def main(university):
    """A lab on origin's main, and a branch for a request."""
    university.deployed()
    git(university.root, "push", "origin", "HEAD:main")
    return university


def told(university):
    university.commit()
    said = university("review", "--against", "origin/main")
    lines = [line for line in said.out.splitlines() if line.startswith(("| `", "| <code>"))]
    return said.code, {line.split("`")[1]: line.rsplit("|", 2)[1].strip() for line in lines}


@pytest.mark.parametrize(
    ("path", "text", "advice"),
    [
        (f"{DEV}/lxd/prof.yaml", "format: 1\n", "it does not follow from the specs"),
        (f"{DEV}/lxd/s009.yaml", "format: 1\n", "it does not follow from the specs"),
        (f"{DEV}/operation.yaml", "life: destroyed\n", "write it: take main's version"),
        (f"{DEV}/release.json", "{}\n", "write it: take main's version"),
        ("environments/dev/evil/lab/lxd/shared.yaml", "format: 1\n", "it does not follow from the specs"),
        ("environments/other/net101/firewalls/lxd/shared.yaml", "format: 1\n", "it does not follow from the specs"),
        ("argocd/apps/dev/evil.yaml", "kind: Application\n", "it does not follow from the specs"),
        ("argocd/apps/prod/evil.yaml", "kind: Application\n", "no release that a pilot proved has this"),
        (f"environments/prod/{LAB}/lxd/s001.yaml", "format: 1\n", "no release that a pilot proved has this"),
        (f"environments/prod/{LAB}/operation.yaml", "power: stopped\n", "write it: take main's version"),
        (f"environments/dev/net101/\n{LAB}", "x\n", None),
    ],
)
def test_a_change_by_hand_is_refused(main, path, text, advice):
    main.write(path, text)
    code, found = told(main)
    assert code == 1
    if advice:
        assert advice in found[path]


def test_books_are_mains(main):
    seats = main.root / f"labs/{LAB}.seats.yaml"
    seats.write_text(seats.read_text().replace("login: null", "login: mallory", 1))
    addresses = main.root / "environments/prod/addresses.yaml"
    addresses.write_text(addresses.read_text().replace("10.72.", "10.73."))
    code, found = told(main)
    assert code == 1
    assert set(found) == {f"labs/{LAB}.seats.yaml", "environments/prod/addresses.yaml"}


def test_what_generate_makes_is_no_change_by_hand(main):
    main.lab(GOOD.replace("{type: webserver}", "{type: webserver, memory: 1GiB}"))
    assert main("generate").code == 0
    assert told(main) == (0, {})


def test_what_people_write_is_none_of_it(main):
    main.lab(GOOD.replace("students: 2", "students: 3"), files__txt="x")
    path = main.root / "environments/dev/platform.yaml"
    path.write_text(path.read_text() + "# a note\n")
    assert told(main) == (0, {})


def test_files_of_a_lab_go_only_when_it_was_destroyed(main):
    (main.root / f"labs/{LAB}.lab.yaml").unlink()
    shutil.rmtree(main.root / DEV)
    code, found = told(main)
    assert code == 1
    assert "destroy the lab first" in found[f"{DEV}/lxd/prof.yaml"]


def test_files_of_a_destroyed_lab_may_go(university):
    university.lab()
    university("generate")
    university.write(f"{DEV}/operation.yaml", "life: destroyed\n")
    university.commit()
    git(university.root, "push", "origin", "HEAD:main")
    (university.root / f"labs/{LAB}.lab.yaml").unlink()
    shutil.rmtree(university.root / DEV)
    code, found = told(university)
    assert (code, [path for path in found if path.startswith(DEV)]) == (0, [])


def test_publish_commits_and_pushes_what_changed_and_then_nothing(university):
    university.lab()
    university.commit()
    git(university.root, "push", "origin", "HEAD:main")
    said = university("generate", "--publish")
    assert said.code == 0
    assert (
        git(f"{university.root}.git", "log", "-1", "--format=%an: %s", "main") == "Practicum: Generate the files of dev"
    )
    head = university.head
    again = university("generate", "--publish")
    assert (again.code, university.head) == (0, head)
    assert "up to date" in again.err


def test_publish_ignores_what_is_not_committed(main):
    main.lab(GOOD.replace("students: 2", "students: 9"))
    assert "up to date" in main("generate", "--publish").err


@pytest.fixture
def racing(main, tmp_path, monkeypatch):
    """Somebody whose edits arrive right before our pushes: `racing(2)` for the next two."""
    other, folder, real = tmp_path / "other", tmp_path / "bin", shutil.which("git")
    subprocess.run([real, "clone", "-q", f"{main.root}.git", str(other)], check=True)
    (tmp_path / "left").write_text("0\n")
    edit = f'echo "# edit $left" >> {other}/labs/{LAB}.lab.yaml'
    commit = f"{real} -C {other} commit -qam 'Edit by hand'; {real} -C {other} push -q"
    folder.mkdir()
    (folder / "git").write_text(
        f'#!/bin/sh\nread left < {tmp_path}/left\ncase " $* " in *" push "*) if [ "$left" -gt 0 ]; then\n'
        f"echo $((left - 1)) > {tmp_path}/left; {real} -C {other} pull -q; {edit}; {commit}\n"
        f'fi;; esac\nexec {real} "$@"\n'
    )
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return lambda times: (tmp_path / "left").write_text(f"{times}\n")


def test_when_main_moved_it_is_generated_again_and_nobody_is_overwritten(main, racing):
    main.lab(GOOD.replace("students: 2", "students: 3"))
    main.commit()
    git(main.root, "push", "origin", "HEAD:main")
    racing(2)
    said = main("generate", "--publish")
    assert said.code == 0
    assert said.err.count("generating again from the newest main") == 2
    subjects = git(f"{main.root}.git", "log", "--format=%s", "-4", "main").splitlines()
    assert subjects == ["Generate the files of dev", "Edit by hand", "Edit by hand", "By hand"]
    assert main("generate", "--check").code == 0


def test_when_main_moves_again_and_again_it_says_so(main, racing):
    main.lab(GOOD.replace("students: 2", "students: 3"))
    main.commit()
    git(main.root, "push", "origin", "HEAD:main")
    racing(9)
    assert main("generate", "--publish").code == 75


def test_commits_of_people_are_never_dropped(main):
    main.lab(GOOD.replace("students: 2", "students: 3"))
    main.commit()
    git(main.root, "push", "origin", "HEAD~1:refs/heads/other")
    other = main.head
    git(main.root, "push", "origin", f"{git(main.root, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD~1', '-m', 'x')}:main")
    assert main("generate", "--publish").code == 1
    assert main.head == other


def test_publish_takes_no_lab(main):
    assert main("generate", "--publish", LAB).code == 2
    assert main("generate", "--publish", "--check").code == 2
