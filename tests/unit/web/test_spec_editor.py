"""The lab's file as text on the web page: problems with their lines, two people at once, and what is refused."""

import html
import re

import pytest
from visitor import LAB, OURS, words
from web_university import git

from practicum.web.editor import digest

FILE = f"/labs/{LAB}/file"


@pytest.fixture
def spec(visitor):
    """The file of a lab that was created."""
    visitor.created()
    return visitor.site.folder / f"labs/{LAB}.lab.yaml"


def begun(spec, text):
    """Return what a browser sends of a text that was begun with the file as it is now."""
    return {"text": text, "base": digest(spec.read_bytes())}


def head(visitor):
    return visitor.site.workspace().repository.head()


def shown(page):
    """Return the text that an editor shows, as a browser takes it."""
    return html.unescape(re.search(r"<textarea id=.*?>\n(.*?)</textarea>", page, re.DOTALL)[1])


def test_the_file_is_shown_as_it_is(visitor, spec):
    spec.write_bytes(b"\n# <b>mine</b> & yours\n" + spec.read_bytes())
    page = visitor.get(FILE).text
    assert shown(page) == spec.read_text()
    assert "<b>mine" not in page
    assert "Nothing is wrong with it." in words(page)


def test_problems_are_told_with_line_and_column_and_nothing_is_written(visitor, spec):
    before, was = spec.read_bytes(), head(visitor)
    text = spec.read_text().replace("webserver", "webservr").replace("title: Small", "titel: <i>Small</i>")
    page = visitor.post(f"{FILE}/check", **begun(spec, text)).text
    assert "did you mean 'webserver'?" in words(page)
    line = next(place for place, one in enumerate(text.splitlines(), 1) if "webservr" in one)
    assert f'data-line="{line}" data-column="' in page
    assert "<i>" not in page
    assert (spec.read_bytes(), head(visitor)) == (before, was)


def test_what_is_saved_was_shown_and_says_whose_it_is(visitor, spec):
    text = spec.read_text().replace("title: Small", "title: Big # a comment")
    job = visitor.agree(FILE, **begun(spec, text.replace("\n", "\r\n")))
    assert job.state == "done", job.error
    assert spec.read_text() == text
    visitor.site.workspace().repository.require_published()
    assert "title: Big # a comment" in html.unescape(visitor.get(FILE).text)


def test_a_professor_is_named_in_the_commit(university):
    university.list()
    ada = university.person("ada")
    spec = university.site.folder / f"labs/{LAB}.lab.yaml"
    ada.agree(FILE, **begun(spec, spec.read_text().replace("title: Small", "title: Big")))
    assert "By ada, on the web page" in git("log", "-3", "--format=%B", cwd=university.site.folder)


def test_errors_are_not_saved(visitor, spec):
    before = spec.read_bytes()
    answer = visitor.post(FILE, **begun(spec, "version: 1\n"), agreed=digest(b"version: 1\n"))
    assert answer.status_code == 422
    assert shown(answer.text) == "version: 1\n"
    assert spec.read_bytes() == before


def test_two_people_at_once_and_the_second_is_told_and_loses_nothing(visitor, spec):
    mine = begun(spec, spec.read_text() + "# mine\n")
    job = visitor.agree(FILE, **begun(spec, spec.read_text() + "# theirs\n"))
    assert job.state == "done", job.error
    answer = visitor.post(FILE, **mine, agreed=digest(mine["text"].encode()))
    assert answer.status_code == 409
    assert "Somebody else saved this file while you were writing" in words(answer.text)
    assert "-# theirs" in words(answer.text)
    assert shown(answer.text) == mine["text"]
    assert "# theirs" in spec.read_text()
    both = begun(spec, spec.read_text() + "# mine\n")
    assert f'name="base" value="{both["base"]}"' in answer.text
    assert visitor.agree(FILE, **both).state == "done"
    assert spec.read_text().endswith("# theirs\n# mine\n")


def test_a_change_elsewhere_at_the_last_moment_shows_what_was_not_saved(visitor, spec, colleague):
    colleague(f"labs/{LAB}.lab.yaml", spec.read_text() + "# theirs\n")
    job = visitor.agree(FILE, **begun(spec, spec.read_text() + "# mine\n"))
    assert job.state == "failed"
    assert "+# mine" in job.error.details
    assert "# mine" not in spec.read_text()


def test_what_goes_from_the_own_copy_is_said_and_goes(visitor, spec, lxd):
    text = spec.read_text().replace("  web:", "  other:")
    page = visitor.post(FILE, **begun(spec, text)).text
    assert "These machines go from your copy, with what you did in them: web." in words(page)
    assert visitor.agree(FILE, **begun(spec, text)).state == "done"
    assert {name for _, name in lxd.world.instances if name.startswith("prof-")} == {"prof-other"}


def test_line_ends_and_the_mark_of_the_file_stay(visitor, spec):
    windows = b"\xef\xbb\xbf" + spec.read_bytes().replace(b"\n", b"\r\n")
    spec.write_bytes(windows)
    text = spec.read_text(encoding="utf-8-sig").replace("Small", "Big")
    assert visitor.agree(FILE, **begun(spec, text)).state == "done"
    assert spec.read_bytes() == windows.replace(b"Small", b"Big")


def test_nothing_to_save_makes_no_commit(visitor, spec):
    was = head(visitor)
    answer = visitor.post(FILE, **begun(spec, spec.read_text()))
    assert "There is nothing to save" in words(answer.text)
    assert head(visitor) == was


def test_going_on_with_writing_keeps_the_text(visitor, spec):
    text = spec.read_text() + "# <mine>\n"
    assert shown(visitor.post(FILE, **begun(spec, text), again="1").text) == text


def test_too_much_is_refused(visitor, spec):
    before = spec.read_bytes()
    assert visitor.post(FILE, **begun(spec, "#" * 2**20)).status_code == 413
    assert visitor.post(f"{FILE}/check", **begun(spec, "#" * 2**20)).status_code == 413
    assert spec.read_bytes() == before


@pytest.mark.parametrize("lab", ["../../etc/passwd", "net101/%2e%2e", "net101/..%2f..%2fsecret", "net101/gone"])
def test_only_files_of_labs_can_be_named(visitor, spec, lab):
    (visitor.site.folder / "secret.lab.yaml").write_text("version: 1\n")
    assert visitor.get(f"/labs/{lab}/file").status_code == 404
    assert visitor.post(f"/labs/{lab}/file", text="a", base="b").status_code == 404


def test_a_link_to_a_file_elsewhere_is_not_shown(visitor, spec, tmp_path):
    (tmp_path / "secret").write_text("version: 1 # hunter2\n")
    spec.unlink()
    spec.symlink_to(tmp_path / "secret")
    for answer in (visitor.get(FILE), visitor.post(FILE, text="# mine\n", base="")):
        assert answer.status_code in (404, 422)
        assert "hunter2" not in answer.text
    assert (tmp_path / "secret").read_text() == "version: 1 # hunter2\n"


def test_another_page_cannot_save(visitor, spec):
    headers = {**OURS, "origin": "https://evil.example"}
    assert visitor.client.post(FILE, data=begun(spec, "a"), headers=headers).status_code == 403


def test_a_file_that_is_no_text_is_told(visitor, spec):
    spec.write_bytes(b"\xff\xfe\x00")
    answer = visitor.get(FILE)
    assert answer.status_code == 422
    assert "is not a text file" in words(answer.text)
