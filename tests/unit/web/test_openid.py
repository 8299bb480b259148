"""Signing in at an OpenID provider: only whom it proved, only in the browser that asked, and never as the operator."""

import html
import re

import pytest
import requests
from joserfc.jwk import RSAKey
from openid_provider import CLIENT, SECRET, FakeProvider
from starlette.testclient import TestClient
from visitor import ORIGIN, words

from practicum.errors import PermissionsError, UsageError
from practicum.web.app import build_app
from practicum.web.openid import Provider, provider_of


@pytest.fixture
def fake():
    with FakeProvider().running() as running:
        yield running


@pytest.fixture
def site(site, fake):
    site.provider = Provider(fake.issuer, CLIENT, "preferred_username", SECRET)
    return site


def asked(client):
    """Return where a browser that wants to sign in is sent back to."""
    there = client.get("/login/oidc")
    assert there.status_code == 302, there.text
    return requests.get(there.headers["location"], allow_redirects=False, timeout=10).headers["location"]


def used(client, back):
    """Follow the page that the provider sent a browser to; return the answer."""
    assert back.startswith(f"{ORIGIN}/login/oidc/back?")
    shown = client.get(back.removeprefix(ORIGIN))
    assert shown.status_code == 200, shown.text
    (to,) = re.findall(r'http-equiv="refresh" content="0; url=(.*?)"', shown.text)
    return client.get(html.unescape(to))


def signed_in(site):
    return [session.user.login for session in site.sessions.values()]


def test_whom_the_provider_names_is_signed_in(site, stranger, fake):
    assert f"Sign in with 127.0.0.1:{fake.issuer.rsplit(':', 1)[1]}" in words(stranger.get("/login").text)
    answer = used(stranger, asked(stranger))
    assert (answer.status_code, answer.headers["location"], signed_in(site)) == (303, "/", ["mia"])
    assert stranger.get("/").status_code != 303 or stranger.get("/").headers["location"] != "/login"


def test_a_student_who_signs_in_so_has_their_own_copy_and_nothing_else(university, site, fake, stranger):
    university.list()
    used(stranger, asked(stranger))
    assert "mia" in words(stranger.get("/courses/net101").text)
    assert stranger.get("/labs/net101/small").status_code in (403, 404)


def test_a_name_that_no_class_has_is_nobody_and_not_the_operator(university, site, fake, stranger):
    university.list()
    fake.login = "mallory"
    used(stranger, asked(stranger))
    assert signed_in(site) == ["mallory"]
    assert stranger.get("/labs/net101/small").status_code == 404
    assert stranger.get("/create/container").status_code in (403, 404)


@pytest.mark.parametrize("login", ["", "  ", None, 17, ["ada"]])
def test_without_a_name_nobody_is_signed_in(site, stranger, fake, login):
    fake.claims = {"preferred_username": login}
    fake.says = {"preferred_username": login}
    answer = used(stranger, asked(stranger))
    assert (answer.status_code, "did not confirm who you are" in words(answer.text)) == (403, True)
    assert signed_in(site) == []


def test_a_name_that_stands_only_in_the_user_information_counts(site, stranger, fake):
    fake.in_token = False
    assert (used(stranger, asked(stranger)).status_code, signed_in(site)) == (303, ["mia"])


def test_user_information_of_somebody_else_does_not(site, stranger, fake):
    fake.in_token, fake.says = False, {"sub": "18"}
    assert (used(stranger, asked(stranger)).status_code, signed_in(site)) == (403, [])


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another application"},
        {"aud": ["another application"], "azp": CLIENT},
        {"iss": "https://evil.example.org"},
        {"exp": 1000},
        {"nonce": "of another sign-in"},
    ],
    ids=["audience", "authorized party", "issuer", "expired", "nonce"],
)
def test_a_proof_for_something_else_proves_nothing(site, stranger, fake, claims):
    fake.claims = claims
    assert (used(stranger, asked(stranger)).status_code, signed_in(site)) == (403, [])


def test_a_proof_that_somebody_else_signed_proves_nothing(site, stranger, fake):
    fake.signs_with = RSAKey.generate_key(2048, {"kid": "1"})
    assert (used(stranger, asked(stranger)).status_code, signed_in(site)) == (403, [])


def test_a_code_in_a_browser_that_did_not_ask_signs_nobody_in(site, stranger, fake):
    back = asked(stranger)
    with TestClient(build_app(site), base_url=ORIGIN, follow_redirects=False) as other:
        assert used(other, back).status_code == 403
    assert signed_in(site) == []
    assert fake.codes, "it was not even shown to the provider"


def test_a_code_works_once(site, stranger, fake):
    back = asked(stranger)
    assert used(stranger, back).status_code == 303
    assert used(stranger, back).status_code == 403


def test_who_changes_their_mind_is_not_signed_in(site, stranger, fake):
    fake.refuses = "access_denied"
    assert (used(stranger, asked(stranger)).status_code, signed_in(site)) == (403, [])


def test_a_wrong_secret_signs_nobody_in(site, stranger, fake):
    site.provider = Provider(fake.issuer, CLIENT, "preferred_username", "wrong")
    assert (used(stranger, asked(stranger)).status_code, signed_in(site)) == (403, [])


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_provider_that_does_not_answer_is_told_and_works_when_it_is_back(site, stranger, fake, when):
    back = asked(stranger) if when == "meanwhile" else ""
    fake.is_down = True
    answer = used(stranger, back) if back else stranger.get("/login/oidc")
    assert (answer.status_code, "does not answer as it should" in words(answer.text)) == (502, True)
    assert signed_in(site) == []
    fake.is_down = False
    assert used(stranger, asked(stranger)).status_code == 303


def test_links_work_beside_it(site, stranger):
    assert "This link was made for one sign-in" in words(stranger.get(site.login_link().removeprefix(ORIGIN)).text)


def test_whoever_signs_in_is_not_signed_in_as_two(site, visitor, stranger, fake):
    assert signed_in(site) == [""]
    used(stranger, asked(stranger))
    assert signed_in(site) == ["mia"]


def test_without_a_provider_there_is_no_such_page(site, stranger):
    site.provider = None
    for path in ("/login/oidc", "/login/oidc/back?code=1", "/login/oidc/end?code=1"):
        assert stranger.get(path).status_code == 404
    assert "Sign in with" not in words(stranger.get("/login").text)


SETTINGS = {"oidc": {"issuer": "https://gitlab.example.org", "client_id": "labs"}}
SET = {"PRACTICUM_OIDC_SECRET": "s3cret\n"}


def test_the_provider_is_what_the_platform_file_names():
    found = provider_of(SETTINGS, SET)
    assert (found.issuer, found.client_id, found.claim, found.secret) == (
        "https://gitlab.example.org",
        "labs",
        "preferred_username",
        "s3cret",
    )
    assert "s3cret" not in repr(found)
    assert provider_of({}, SET) is None


def test_a_missing_secret_is_told_before_anything_is_served():
    with pytest.raises(PermissionsError, match="no secret") as caught:
        provider_of(SETTINGS, {"PRACTICUM_OIDC_SECRET": " "})
    assert "PRACTICUM_OIDC_SECRET" in caught.value.resolution


def test_a_provider_in_the_clear_is_refused():
    with pytest.raises(UsageError, match="in the clear"):
        provider_of({**SETTINGS, "oidc": {"issuer": "http://gitlab.example.org", "client_id": "labs"}}, SET)
