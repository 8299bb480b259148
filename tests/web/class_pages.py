"""The pages of a deployed class on a fake LXD, in a real browser, and what axe has to say of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lxd_server import FakeLxd
from playwright.sync_api import Browser, Page
from served import served, sign_commits
from visitor import settled
from web_university import University

from practicum.stages.init import init
from practicum.web.assets import FOLDER

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


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
