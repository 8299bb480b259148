"""Every page by axe, WCAG 2.1 AA, in light and dark: in a real browser, of a class on a fake LXD."""

import pytest
from class_pages import complaints, signed_in
from playwright.sync_api import Browser
from visitor import LAB
from web_university import MIA, University

pytestmark = pytest.mark.web
PAGES = {
    "": ["/", "/create/container", "/create/template", f"/labs/{LAB}", f"/labs/{LAB}/deploy", "/gone"],
    "ada": [f"/labs/{LAB}/file"],
    "bo": [f"/labs/{LAB}", f"/labs/{LAB}/deploy"],
    "mia": ["/courses/net101", f"{MIA}/files", f"{MIA}/files?in=home", f"{MIA}/start_over", "/courses/other"],
}


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("login", PAGES)
def test_nothing_stands_in_the_way_of_anybody(
    browser: Browser, university: University, login: str, colours: str
) -> None:
    found: list[str] = []
    with signed_in(browser, university, login, colours) as page:
        for path in PAGES[login]:
            page.goto(f"{university.site.address.url}{path}")
            for part in page.locator("summary").all():
                part.click()
            found += complaints(page)
    assert found == []


def test_a_form_with_errors_and_a_finished_job_are_for_everybody_too(browser: Browser, university: University) -> None:
    with signed_in(browser, university, "", "light") as page:
        page.goto(f"{university.site.address.url}/create/container")
        page.get_by_role("button", name="Review the change").click()
        page.get_by_text("This is needed.").first.wait_for()
        found = complaints(page)
        page.goto(f"{university.site.address.url}/labs/{LAB}")
        page.get_by_role("button", name="Run the checks").click()
        page.get_by_text("Done.").wait_for()
        found += complaints(page)
    assert found == []
