"""Signing in at an OpenID provider: only whom it proved, only in the browser that asked, and never as the operator."""

import html
import logging
import re
import time

import pytest
import requests
from joserfc.jwk import RSAKey
from openid_provider import CLIENT, SECRET, FakeProvider
from starlette.testclient import TestClient
from visitor import LAB, ORIGIN, words
from web_university import LEO, MIA

from practicum.errors import PermissionsError, UsageError
from practicum.web.address import Address
from practicum.web.app import build_app
from practicum.web.openid import Provider, provider_of
from practicum.web.users import User


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
    assert stranger.get("/login").headers["location"] == "/"


def test_a_student_who_signs_in_so_has_their_own_copy_and_nothing_else(deployed, stranger, fake):
    fake.login = "MIA"
    used(stranger, asked(stranger))
    page = stranger.get("/courses/net101").text
    assert (f'data-terminal="{MIA}/machines/web"' in page, LEO in page) == (True, False)
    assert stranger.get(f"{MIA}/machines").status_code == 200
    assert stranger.get(f"{LEO}/machines").status_code == 403
    assert stranger.get(f"/labs/{LAB}").status_code == 403


def test_a_name_that_no_class_has_is_nobody_and_not_the_operator(deployed, site, stranger, fake):
    fake.login = "mallory"
    used(stranger, asked(stranger))
    assert signed_in(site) == ["mallory"]
    assert stranger.get(f"/labs/{LAB}").status_code == 404
    assert stranger.get(f"{MIA}/machines").status_code == 404
    assert stranger.get("/create/container").status_code == 403


def test_what_is_taken_back_ends_a_session_that_began_so(site, stranger):
    used(stranger, asked(stranger))
    site.invitations.revoke([User("mia")], time.time())
    assert stranger.get("/").headers["location"] == "/login"


@pytest.mark.parametrize("login", ["", "  ", None, 17, ["ada"], " mia", "mia\n"])
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


def test_a_wrong_secret_signs_nobody_in(site, stranger, fake, caplog):
    site.provider = Provider(fake.issuer, CLIENT, "preferred_username", "wrong")
    with caplog.at_level(logging.WARNING):
        assert (used(stranger, asked(stranger)).status_code, signed_in(site)) == (502, [])
    assert "invalid_client" in caplog.text, "whoever runs the page must be told"
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("configuration", []),
        ("configuration", None),
        ("configuration", {}),
        ("configuration", {"authorization_endpoint": 7}),
        ("configuration", {"token_endpoint": None}),
        ("configuration", {"id_token_signing_alg_values_supported": 7}),
        ("configuration", {"jwks_uri": "https://[::1"}),
        ("keys", []),
        ("token", {"access_token": "x", "token_type": "Bearer", "id_token": None}),
        ("token", []),
        ("me", [None]),
        ("me", 7),
    ],
)
def test_what_no_provider_answers_is_told_and_signs_nobody_in(site, stranger, fake, part, wrong):
    fake.in_token = part != "me"
    fake.wrong[part] = {**fake.configuration(), **wrong} if part == "configuration" and wrong else wrong
    answer = stranger.get("/login/oidc")
    if answer.status_code == 302:
        answer = used(stranger, asked(stranger))
    assert (answer.status_code in (403, 502), signed_in(site)) == (True, [])
    assert "Sign in with" in words(answer.text)


def test_a_page_of_somebody_else_begins_no_sign_in_and_signs_nobody_out(site, visitor, stranger, fake):
    """The cookie of who is signed in does not come along from there, so a new one would take its place."""
    for place in ("cross-site", "same-site"):
        answer = TestClient(build_app(site), base_url=ORIGIN, follow_redirects=False).get(
            "/login/oidc", headers={"sec-fetch-site": place}
        )
        assert (answer.headers["location"], "set-cookie" in answer.headers) == (f"{ORIGIN}/login", False)
    assert stranger.get("/login/oidc", headers={"sec-fetch-site": "same-origin"}).status_code == 302


def test_the_name_of_the_page_may_be_written_in_any_letters(site, fake):
    site.address = Address("Labs.Example.org", 8080)
    with TestClient(build_app(site), base_url="http://labs.example.org:8080", follow_redirects=False) as client:
        assert client.get("/login/oidc").headers["location"].startswith(fake.issuer)


def test_by_another_name_of_ours_a_browser_is_sent_to_the_one_that_the_provider_knows(site, stranger):
    answer = stranger.get("/login/oidc", headers={"host": "localhost:8080"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ORIGIN}/login")


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


@pytest.mark.parametrize("issuer", ["https://[", "https://gitlab.example.org:99999"])
def test_what_is_no_address_is_told(issuer):
    with pytest.raises(UsageError, match="no address"):
        provider_of({"oidc": {"issuer": issuer, "client_id": "labs"}}, SET)


def test_a_provider_in_the_clear_is_refused():
    with pytest.raises(UsageError, match="in the clear"):
        provider_of({**SETTINGS, "oidc": {"issuer": "http://gitlab.example.org", "client_id": "labs"}}, SET)
