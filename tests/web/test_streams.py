"""A page that says "Working" hears how the work goes on, however slowly or badly its parts arrive."""

import threading
from collections.abc import Iterator

import pytest
from operator_page import Operator
from playwright.sync_api import Browser, Route, expect
from served import served, sign_commits

from practicum.stages.init import init
from practicum.web.site import Site

pytestmark = pytest.mark.web
LAB = "net101/firewalls"
HEARD_MS = 30_000


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        sign_commits(patch)
        with served(init(tmp_path_factory.mktemp("streams") / "labs").root) as running:
            yield running


@pytest.fixture
def somebody(site: Site, browser: Browser) -> Iterator[Operator]:
    """Somebody who has signed in."""
    context = browser.new_context()
    person = Operator(context.new_page(), site.login_link())
    person.page.goto(person.link)
    # The page of labs needs LXD, which is not there.
    person.page.evaluate(
        "token => fetch('/login', {method: 'POST', body: new URLSearchParams({token}), redirect: 'manual'})",
        person.link.partition("token=")[2],
    )
    yield person
    context.close()


def shows_the_end(somebody: Operator, site: Site) -> None:
    """Look at a job that goes on, let it end, and see that."""
    ends = threading.Event()
    job = site.jobs.start("checks", LAB, lambda job: ends.wait(90) and None)
    try:
        somebody.page.goto(f"{somebody.address}/jobs/{job.id}")
        expect(somebody.page.get_by_text("Working.")).to_be_visible()
        ends.set()
        somebody.sees("Done.", HEARD_MS)
    finally:
        ends.set()


def test_a_page_hears_its_stream(somebody: Operator, site: Site) -> None:
    shows_the_end(somebody, site)


def test_a_script_that_arrives_late_does_not_leave_the_page_deaf(somebody: Operator, site: Site) -> None:
    def late(route: Route) -> None:
        answer = route.fetch()
        # All that a browser has to do meanwhile is done when the other script's tasks have run.
        somebody.page.wait_for_function("window.htmx !== undefined")
        somebody.page.evaluate("() => new Promise((done) => setTimeout(() => setTimeout(done)))")
        route.fulfill(response=answer)

    somebody.page.route("**/hx-sse.js", late)
    shows_the_end(somebody, site)


def test_a_stream_that_could_not_be_begun_is_begun_again(somebody: Operator, site: Site) -> None:
    failed: list[str] = []

    def fail_once(route: Route) -> None:
        if failed:
            route.continue_()
            return
        failed.append(route.request.url)
        route.abort("connectionreset")

    somebody.page.route("**/events?*", fail_once)
    shows_the_end(somebody, site)
    assert failed
    expect(somebody.page.locator("#lost")).to_be_hidden()
