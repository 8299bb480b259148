"""The search for secrets, with the tools of both kinds of machines; in a folder instead of a whole machine."""

import shutil
import subprocess

import pytest

from practicum.lxd.errors import LxdError
from practicum.lxd.secret_search import LIST, SEARCH, Secret, search

SECRETS = ("0123456789abcdef0123", "MC4CAQAwBQYDK2VwBCIEIKmq/+=")
APPLETS = ("cat", "find", "grep", "rm", "sh", "tr", "xargs")


@pytest.fixture(params=["debian", "busybox"])
def run(request, tmp_path):
    """Return what runs the search with the tools of a kind of machine; it gives lines found, errors and exit code."""
    tools, env = tmp_path / "bin", {}
    if request.param == "busybox":
        if not (busybox := shutil.which("busybox")):
            pytest.skip("busybox is not installed")
        tools.mkdir()
        for name in APPLETS:
            (tools / name).symlink_to(busybox)
        env = {"PATH": str(tools)}

    def searched(folder, script=SEARCH):
        listed = tmp_path / "secrets"
        listed.write_text("".join(f"{secret}\n" for secret in SECRETS))
        shell = [shutil.which("sh", path=env.get("PATH")), "-c", script.replace("find / ", f"find {folder} "), "sh"]
        done = subprocess.run([*shell, listed], env=env or None, capture_output=True, text=True, check=False)
        assert not listed.exists()
        return done.stdout.splitlines(), done.stderr, done.returncode

    return searched


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    (folder / "etc").mkdir(parents=True)
    return folder


def test_nothing_is_found_where_nothing_is(run, disk):
    (disk / "etc/near").write_bytes(SECRETS[0][:-1].encode() + b"\n" + SECRETS[1].upper().encode())
    (disk / "etc/empty").touch()
    (disk / "link").symlink_to("etc/nowhere")
    assert run(disk) == ([], "", 0)


@pytest.mark.parametrize(
    "content",
    [
        b"%s",
        b"key = '%s'\r\n",
        b"\x7fELF\x00\x01\x00more %s\x00\xff\xfe",
        b"\x00" * 70_000 + b"%s" + b"\x00" * 70_000,
        b"x" * 300_000 + b"%s",
    ],
    ids=["alone", "in a line", "in a program", "between zeros", "far out"],
)
def test_a_secret_is_found_wherever_in_a_file_it_stands(run, disk, content):
    (disk / "etc/app.conf").write_bytes(content.replace(b"%s", SECRETS[1].encode()))
    (disk / "etc/other").write_bytes(b"harmless\n")
    assert run(disk) == ([f"2 {disk}/etc/app.conf"], "", 0)


@pytest.mark.parametrize("name", ["-rf", "with  spaces", "quo'te", "$(exit)", "ä"])
def test_names_are_taken_as_they_are(run, disk, name):
    (disk / "etc" / name).write_text(SECRETS[0])
    assert run(disk) == ([f"1 {disk}/etc/{name}"], "", 0)


def test_each_secret_of_each_file_is_told_among_many(run, disk):
    for number in range(450):
        (disk / f"etc/{number}").write_text(f"{number}\n")
    for number in (3, 449):
        (disk / f"etc/{number}").write_text("\n".join(SECRETS))
    found, errors, code = run(disk)
    assert sorted(found) == sorted(f"{secret} {disk}/etc/{number}" for number in (3, 449) for secret in (1, 2))
    assert (errors, code) == ("", 0)


@pytest.mark.parametrize("run", ["debian"], indirect=True)
def test_a_line_that_is_too_long_for_the_memory_is_an_error_and_not_overlooked(run, disk):
    (disk / "etc/long").write_bytes(b"x" * 40_000_000)
    found, errors, code = run(disk, f"ulimit -v 30000\n{SEARCH}")
    assert (found, code != 0) == ([], True)
    assert "too little memory" in errors


class Machine:
    """Answers as a machine would in which the search ended like this."""

    def __init__(self, exit_code=0, stdout="", stderr=""):
        self.exit_code, self.stdout, self.stderr = exit_code, stdout, stderr
        self.uploaded = {}

    def upload(self, *_place, data, path, **_more):
        self.uploaded[path] = data

    def run(self, _instance, command, **_more):
        assert command[-1] == LIST
        assert not any(secret in word for word in command for secret in SECRETS)
        return self


def test_findings_have_names_and_no_values():
    machine = Machine(stdout="2 /srv/a b\n1 /etc/x\nmade up by a file\n2 /srv/a b\n")
    found = search(machine, "project", "c1-web", "web", [Secret("the key", SECRETS[0]), Secret("a token", SECRETS[1])])
    assert [(one.path, one.secret) for one in found] == [("/etc/x", "the key"), ("/srv/a b", "a token")]
    assert not any(secret in repr(found) for secret in SECRETS)
    assert machine.uploaded == {LIST: f"{SECRETS[0]}\n{SECRETS[1]}\n".encode()}


@pytest.mark.parametrize("ending", [{"exit_code": 123}, {"stderr": "cat: /srv/x: Input/output error\n"}])
def test_a_search_that_did_not_see_everything_is_no_search(ending):
    with pytest.raises(LxdError, match="web could not be searched for secrets"):
        search(Machine(**ending), "project", "c1-web", "web", [Secret("the key", SECRETS[0])])
