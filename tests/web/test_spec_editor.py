"""The lab's file in a real browser: problems while somebody writes, a click to their line, and two people at once."""

import os
from collections.abc import Iterator

import pytest
from class_pages import complaints, signed_in
from operator_page import Operator
from playwright.sync_api import Browser, Page, Route, expect
from visitor import LAB
from web_university import University

pytestmark = pytest.mark.web


@pytest.fixture
def ada(browser: Browser, university: University) -> Iterator[Operator]:
    """Return the professor, at the lab's file."""
    with signed_in(browser, university, "ada", "light") as page:
        professor = Operator(page, university.site.address.url, os.environ.get("PRACTICUM_SCREENSHOTS", ""))
        page.goto(f"{professor.link}/labs/{LAB}")
        professor.click("Edit the lab's file")
        yield professor


def selected(page: Page) -> str:
    return str(page.evaluate("(box => box.value.slice(box.selectionStart, box.selectionEnd))(document.activeElement)"))


def test_from_a_mistake_to_the_saved_file(ada: Operator, university: University) -> None:
    page, spec = ada.page, university.site.folder / f"labs/{LAB}.lab.yaml"
    before = page.locator("#text").input_value()
    assert before == spec.read_text()
    page.locator("#text").fill("# one\n\n" + before.replace("webserver", "webservr").replace("Small", "<b>😀</b>"))
    ada.sees("did you mean 'webserver'?")
    expect(page.locator("#looking")).to_be_empty()
    assert spec.read_text() == before
    assert complaints(page) == []
    ada.shot("editor-problem")
    place = page.get_by_role("button", name="Line")
    place.focus()
    page.keyboard.press("Enter")
    assert selected(page) == "webservr"
    page.keyboard.type("webserver")
    ada.sees("Nothing is wrong with it.")
    ada.click("Review the change")
    ada.sees("+title: <b>😀</b>")
    assert complaints(page) == []
    ada.shot("editor-review")
    ada.click("Go on writing")
    assert page.locator("#text").input_value().startswith("# one\n")
    ada.click("Review the change")
    ada.click("Save it now")
    ada.sees("Done.")
    assert spec.read_text() == "# one\n\n" + before.replace("Small", "<b>😀</b>")
    assert ada.complaints == []


def test_who_comes_second_is_told_and_keeps_the_text(ada: Operator, university: University) -> None:
    spec = university.site.folder / f"labs/{LAB}.lab.yaml"
    mine = spec.read_text() + "# mine\n"
    ada.page.locator("#text").fill(mine)
    spec.write_text(spec.read_text() + "# theirs\n")
    ada.click("Review the change")
    ada.sees("Somebody else saved this file while you were writing.")
    assert ada.page.locator("#text").input_value() == mine
    assert complaints(ada.page) == []
    ada.page.set_viewport_size({"width": 360, "height": 700})
    assert ada.page.evaluate("document.documentElement.scrollWidth") <= 360
    ada.shot("editor-second-phone")


def test_what_was_written_before_the_script_came_is_looked_at(ada: Operator) -> None:
    page, held = ada.page, list[Route]()

    def hold(route: Route) -> None:  # a method of a list is refused: playwright marks the handler
        held.append(route)

    page.route("**/editor.js", hold)
    with page.expect_request("**/editor.js"):
        page.reload(wait_until="commit")
    text = page.locator("#text")
    text.fill(text.input_value().replace("webserver", "webservr"))
    held[0].continue_()
    ada.sees("did you mean 'webserver'?")
