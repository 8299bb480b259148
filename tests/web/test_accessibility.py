"""Every page by axe, WCAG 2.1 AA, in light and dark: in a real browser, of a class on a fake LXD."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lxd_server import FakeLxd
from playwright.sync_api import Browser, Page
from served import served, sign_commits
from visitor import LAB, settled
from web_university import MIA, University

from practicum.stages.init import init
from practicum.web.assets import FOLDER

pytestmark = pytest.mark.web
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
PAGES = {
    "": ["/", "/create/container", "/create/template", f"/labs/{LAB}", f"/labs/{LAB}/deploy", "/gone"],
    "bo": [f"/labs/{LAB}", f"/labs/{LAB}/deploy"],
    "mia": ["/courses/net101", f"{MIA}/start_over", "/courses/other"],
}


@pytest.fixture(scope="module")
def university(tmp_path_factory) -> Iterator[University]:
    """Return a university with a deployed class."""
    folder = tmp_path_factory.mktemp("university")
    with pytest.MonkeyPatch.context() as patch, FakeLxd(folder / "lxd.socket") as lxd:
        patch.setattr("practicum.lxd.endpoints.SOCKETS", ("/nonexistent/lxd.socket",))
        sign_commits(patch)
        repository = init(folder / "labs")
        settled(repository, lxd)
        with served(repository.root) as site:
            made = University(site)
            made.found()
            yield made


@contextmanager
def signed_in(browser: Browser, university: University, login: str, colours: str) -> Iterator[Page]:
    """Give a page of somebody; without a login it is the operator's."""
    site = university.site
    link = f"{site.address.url}/login?token={university.link(login)}" if login else site.login_link()
    with browser.new_context(color_scheme=colours) as context:
        page = context.new_page()
        page.goto(link)
        assert complaints(page) == []
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda address: "/login" not in address)
        yield page


def complaints(page: Page) -> list[str]:
    """Return what axe has to say of a page, in one line each."""
    page.evaluate((FOLDER / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [
        f"{page.url}: {one['id']}: {node['html'][:120]}: {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


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
