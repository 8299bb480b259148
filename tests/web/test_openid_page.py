"""Signing in at a provider on another site, in a real browser, whose rules for cookies no test client has."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from class_pages import complaints
from openid_provider import CLIENT, SECRET, FakeProvider
from operator_page import Operator
from playwright.sync_api import Browser, expect
from served import served, sign_commits

from practicum.stages.init import init
from practicum.web.openid import Provider

pytestmark = pytest.mark.web


@pytest.fixture
def mia(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """Return somebody at the page for signing in, with a provider that is another site for browsers."""
    sign_commits(monkeypatch)
    with FakeProvider("localhost").running() as provider, served(init(tmp_path / "labs").root) as site:
        provider.asks = True
        site.provider = Provider(provider.issuer, CLIENT, "preferred_username", SECRET)
        context = browser.new_context(viewport={"width": 1100, "height": 800})
        visitor = Operator(context.new_page(), site.address.url, os.environ.get("PRACTICUM_SCREENSHOTS", ""))
        visitor.page.goto(site.address.url)
        yield visitor
        context.close()


def test_a_person_who_comes_from_the_provider_is_signed_in(mia: Operator) -> None:
    assert complaints(mia.page) == []
    mia.shot("sign-in")
    mia.page.get_by_role("link", name="Sign in with localhost:").click()
    mia.page.get_by_role("link", name="It is me").click()
    expect(mia.page.locator(".me")).to_have_text("mia")
    assert mia.page.url == f"{mia.link}/"
    mia.click("Sign out")
    expect(mia.page.get_by_role("link", name="Sign in with localhost:")).to_be_visible()
    assert mia.complaints == []
