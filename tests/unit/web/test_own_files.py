"""A student's own files on the web page, on a fake LXD: names of anybody's making, sizes, and whose they become."""

import io
import re
import zipfile
from urllib.parse import unquote

import pytest
from visitor import LAB, OURS, words
from web_university import LEO, MIA

from practicum.web import gate

FILES = f"{MIA}/files"
OWNER = (1000, 1000, 0o644)
HOSTILE = [
    "a\nb",
    "<img src=x onerror=alert(1)>",
    "--help",
    " &at=\"'#?%00%2e%2e",
    "..\\..\\evil.exe",
    "\u202ecod.exe",
    "\udcff raw",
    "...",
]


@pytest.fixture
def home(deployed, lxd):
    """The files of a student's volume, by their path."""
    return next(one["files"] for key, one in lxd.world.volumes.items() if key[2] == "s001-home")


@pytest.fixture
def mia(deployed):
    return deployed.person("mia")


def links(page, what=""):
    """Return where the list leads, as a browser follows it."""
    return [one.replace("&amp;", "&") for one in re.findall(rf'href="({FILES}{what}\?in=[^"]*)"', page)]


def upload(visitor, name, content=b"new\n", folder="home", place=FILES):
    data, file = {"in": folder}, {"file": (name, content)}
    return visitor.client.post(f"{place}/put", data=data, files=file, headers=OURS)


def unpacked(answer):
    assert answer.status_code == 200, words(answer.text)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_way_to_a_file_without_a_running_machine(mia, home, lxd):
    home |= {"/notes.txt": (b"mine\n", *OWNER), "/deep": (None, *OWNER), "/deep/er": (b"down\n", *OWNER)}
    for one in lxd.world.instances.values():
        one["status"] = "Stopped"
    assert f'href="{FILES}"' in mia.get("/courses/net101").text
    page = mia.get(links(mia.get(FILES).text)[0])
    assert "notes.txt" in page.text
    assert "deep/er" not in page.text
    answer = mia.get(f"{FILES}/get?in=home/notes.txt")
    assert answer.content == b"mine\n"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''notes.txt"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert unpacked(mia.get(f"{FILES}/zip?in=home/deep")) == {"er": b"down\n"}
    assert unpacked(mia.get(f"{FILES}/zip?in=home"))["notes.txt"] == b"mine\n"
    refused = upload(mia, "more.txt")
    assert refused.status_code == 409
    assert "none is running" in words(refused.text)
    assert all("backups" not in one or not one["backups"] for one in lxd.world.volumes.values())


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_anybodys_making_are_shown_read_and_packed_as_text(mia, home, name):
    home[f"/{name}"] = (b"content\n", *OWNER)
    page = mia.get(f"{FILES}?in=home")
    assert page.status_code == 200
    assert "<img" not in page.text
    assert "\u202e" not in page.text
    (way,) = [one for one in links(page.text, "/get") if unquote(one, errors="surrogateescape").endswith(f"/{name}")]
    answer = mia.get(way)
    assert answer.content == b"content\n"
    assert "\n" not in answer.headers["content-disposition"]
    (packed,) = [one for one, data in unpacked(mia.get(f"{FILES}/zip?in=home")).items() if data == b"content\n"]
    assert packed.isprintable()
    assert not set("\\:/") & set(packed)


def test_a_folder_whose_name_is_no_text(mia, home):
    home |= {"/\udcff": (None, *OWNER), "/\udcff/a": (b"in it\n", *OWNER)}
    way = links(mia.get(f"{FILES}?in=home").text)[-1]
    page = mia.get(way)
    assert mia.get(links(page.text, "/get")[0]).content == b"in it\n"
    assert unpacked(mia.get(way.replace("?", "/zip?"))) == {"a": b"in it\n"}
    assert mia.get(f"{way}/gone").status_code == 422
    assert mia.get(f"{FILES}/get?in=home/%FFgone").status_code == 422
    answer = upload(mia, "b", folder=re.search('name="in" value="([^"]+)"', page.text)[1])
    assert answer.status_code == 422
    assert "a name that is no text" in words(answer.text)


def test_a_link_leads_nowhere(mia, home):
    home |= {"/passwd": ("/etc/passwd", *OWNER), "/up": ("../../..", *OWNER), "/real": (b"1", *OWNER)}
    page = mia.get(f"{FILES}?in=home").text
    assert [one.rsplit("/", 1)[1] for one in links(page, "/get")] == ["real"]
    assert mia.get(f"{FILES}/get?in=home/passwd").status_code == 422
    assert mia.get(f"{FILES}?in=home/up/etc").status_code == 422
    packed = unpacked(mia.get(f"{FILES}/zip?in=home"))
    assert packed == {"real": b"1", "left-out.txt": b"passwd\nup\n"}


@pytest.mark.parametrize(
    "path", ["home/..", "home/../../etc", "../home", "home/gone", "other", "home/%00", "/etc/passwd"]
)
@pytest.mark.parametrize("what", ["", "/get", "/zip"])
def test_nothing_beside_the_own_files_is_read(mia, home, path, what):
    answer = mia.get(f"{FILES}{what}?in={path}")
    assert answer.status_code == 422, words(answer.text)
    assert "there is no" in words(answer.text)


def test_a_file_that_was_put_in_is_the_students(mia, home):
    home["/deep"] = (None, *OWNER)
    answer = upload(mia, "<b>report.txt")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{FILES}?in=home")
    assert home["/<b>report.txt"] == (b"new\n", 1000, 1000, 0o644)
    again = upload(mia, "<b>report.txt", b"other\n")
    assert again.status_code == 422
    assert "already" in words(again.text)
    assert home["/<b>report.txt"][0] == b"new\n"


@pytest.mark.parametrize("name", ["..", ".", "../up", "/etc/passwd", "x" * 256])
def test_names_that_no_file_can_have_are_refused(mia, home, name):
    before = dict(home)
    assert upload(mia, name).status_code == 422
    assert home == before


@pytest.mark.parametrize("folder", ["home/../..", "gone", "", "/etc", "../home"])
def test_files_go_into_own_folders_only(mia, home, folder):
    before = dict(home)
    assert upload(mia, "a", folder=folder).status_code == 422
    assert home == before


def test_no_file_is_told(mia, home):
    answer = mia.client.post(f"{FILES}/put", data={"in": "home"}, headers=OURS)
    assert answer.status_code == 422
    assert "No file was chosen" in words(answer.text)


def test_too_large_a_file_is_refused_before_it_is_read(mia, deployed, monkeypatch):
    monkeypatch.setattr(gate, "MOST_UPLOADED", 2**20)
    assert upload(mia, "a", b"x" * 2**21).status_code == 413
    assert mia.client.post(f"{MIA}/snapshot", content=b"x" * 2**20, headers=OURS).status_code == 413
    assert upload(deployed.stranger(), "a", b"x" * 2**20).status_code == 413


def test_a_file_from_an_old_snapshot(mia, home):
    home["/notes.txt"] = (b"old\n", *OWNER)
    assert mia.ended(mia.post(f"{MIA}/snapshot", message="then")).state == "done"
    home["/notes.txt"] = (b"new\n", *OWNER)
    at = re.search(rf'href="{FILES}\?at=([^"]+)"', mia.get("/courses/net101").text)[1]
    page = mia.get(f"{FILES}?at={at}").text
    assert "As they were in the snapshot" in words(page)
    assert mia.get(links(page)[0].replace("?in=", "/get?in=").replace("home&", "home/notes.txt&")).content == b"old\n"
    assert mia.get(f"{FILES}/get?in=home/notes.txt").content == b"new\n"
    assert mia.get(f"{FILES}?at=gone").status_code == 422


def test_nobody_else_sees_them(deployed, home, site):
    for login in ("leo", "ada", "bo", "eve"):
        visitor = deployed.person(login)
        assert {visitor.get(f"{FILES}{what}?in=home").status_code for what in ("", "/get", "/zip")} <= {403, 404}
        assert upload(visitor, "a").status_code in (403, 404)
    leo = deployed.person("leo")
    assert leo.get(f"{LEO}/files?in=home").status_code == 200
    assert LAB in LEO
