"""What the web page refuses: other names and origins, no session, used secrets, paths that lead elsewhere, markup."""

import asyncio
import html

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from visitor import LAB, NEW, ORIGIN, OURS, sign_in, words

from practicum.web.address import Address
from practicum.web.app import build_app
from practicum.web.one_time import OneTime
from practicum.web.site import Site

MACHINE = f"/labs/{LAB}/machines/web"
PAGES = ("/", "/create/container", f"/labs/{LAB}", f"/labs/{LAB}/deploy", "/jobs/one", "/jobs/one/events")
ACTIONS = ("/create/container", f"/labs/{LAB}/checks", f"/labs/{LAB}/checkpoint", f"/labs/{LAB}/deploy", "/logout")


# Who asks.


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_nothing_is_shown(stranger, path):
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("path", ACTIONS)
def test_without_a_session_nothing_is_done(stranger, path):
    assert stranger.post(path, headers=OURS).headers.get("location") == "/login"


def test_a_page_that_refreshes_itself_is_told_that_the_session_is_over(stranger):
    assert stranger.get(f"{MACHINE[:-4]}", headers={"hx-request": "true"}).status_code == 401


def test_a_login_link_works_once_and_not_for_ever(site, stranger):
    token = site.login_link().partition("token=")[2]
    assert stranger.get("/login", params={"token": token}).status_code == 200, "looking at a link does not use it up"
    assert [stranger.post("/login", data={"token": token}, headers=OURS).status_code for _ in range(2)] == [303, 403]
    site.links.clock = lambda: 10**9
    assert stranger.post("/login", data={"token": "made-up"}, headers=OURS).status_code == 403


def test_a_forged_cookie_is_no_session(site, stranger):
    other = Site(site.folder, site.address)
    with TestClient(build_app(other), base_url=ORIGIN) as theirs:
        sign_in_there = theirs.post("/login", data={"token": other.login_link().partition("=")[2]}, headers=OURS)
        assert sign_in_there.status_code == 200
        stranger.cookies = theirs.cookies
    assert stranger.get("/").status_code == 303


def test_after_signing_out_the_old_cookie_is_worth_nothing(site, visitor):
    cookies = dict(visitor.client.cookies)
    assert visitor.get("/").status_code == 200
    visitor.post("/logout")
    visitor.client.cookies = cookies
    assert visitor.get("/").status_code == 303
    assert site.sessions == {}


def test_the_cookie_is_for_this_server_alone(site, stranger):
    cookie = sign_in(site, stranger).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie


def test_an_address_of_ipv6_is_called_in_brackets():
    address = Address("2001:DB8::1", 8443, tls=True)
    assert address.names == {"[2001:db8::1]:8443"}
    assert address.origins == {"https://[2001:db8::1]:8443"}


def test_with_tls_the_cookie_never_travels_in_the_clear(site):
    safe = Site(site.folder, Address("labs.example.edu", 443, tls=True))
    assert safe.address.origins == {"https://labs.example.edu:443", "https://labs.example.edu"}
    with TestClient(build_app(safe), base_url="https://labs.example.edu", follow_redirects=False) as client:
        data = {"token": safe.login_link().partition("token=")[2]}
        answer = client.post("/login", data=data, headers={"origin": "https://labs.example.edu"})
        assert "secure" in answer.headers["set-cookie"].lower()


# Where a request comes from.


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:81", "127.0.0.1.evil.example:8080", "", "localhost:80@evil"]
)
def test_another_name_of_this_server_is_refused(visitor, host):
    assert visitor.client.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080"])
def test_its_own_names_are_known(visitor, host):
    assert visitor.client.get("/login", headers={"host": host}).status_code != 421


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:8080"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_a_change_that_another_page_asks_for_is_refused(site, visitor, headers):
    before = site.workspace().repository.head()
    for path in (*ACTIONS, "/login"):
        assert visitor.client.post(path, data=NEW, headers=headers).status_code == 403
    assert site.jobs.running is None
    assert site.workspace().repository.head() == before


@pytest.mark.parametrize("path", ["/login", "/create/container"])
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("size", [{"content-length": "1000000"}, {"transfer-encoding": "chunked"}])
def test_what_is_too_large_for_a_form_is_not_read(stranger, path, method, size):
    def unread():
        raise AssertionError("it was read")
        yield b""

    assert stranger.request(method, path, content=unread(), headers={**OURS, **size}).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_changes_too(visitor, method):
    assert visitor.client.request(method, "/").status_code == 403


def refused(client, path, **headers):
    # A relative address would be one of another host, and refused for that alone.
    address = ORIGIN.replace("http", "ws") + path
    try:
        with client.websocket_connect(address, headers=headers):
            return False
    except WebSocketDisconnect as closed:
        return closed.code == 4403


@pytest.fixture
def created(visitor):
    """Somebody who has a machine."""
    visitor.created()
    return visitor


def ticket(visitor, machine=MACHINE):
    return visitor.post(f"{machine}/ticket").json()["ticket"]


def test_a_good_ticket_is_accepted(created):
    assert not refused(created.client, f"{MACHINE}/terminal?ticket={ticket(created)}", origin=ORIGIN)


def test_a_terminal_for_a_page_of_another_origin_is_refused(created):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:9999"):
        assert refused(created.client, f"{MACHINE}/terminal?ticket={ticket(created)}", origin=origin)
    assert refused(created.client, f"{MACHINE}/terminal?ticket={ticket(created)}"), "browsers always say their origin"


def test_a_ticket_is_for_one_machine_one_session_and_one_use(created):
    other = MACHINE.replace("web", "desk")
    assert refused(created.client, f"{other}/terminal?ticket={ticket(created)}", origin=ORIGIN)
    stale = ticket(created)
    created.site.tickets.clock = lambda: 10**9
    assert refused(created.client, f"{MACHINE}/terminal?ticket={stale}", origin=ORIGIN)
    assert refused(created.client, f"{MACHINE}/terminal?ticket=", origin=ORIGIN)


class Endless:
    """A terminal in which nothing happens until somebody leaves it."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.left = True

    async def output(self):
        yield b"$ "
        await asyncio.Event().wait()


def test_signing_out_ends_open_terminals(created, monkeypatch):
    opened = Endless()
    monkeypatch.setattr("practicum.web.terminal.terminal", lambda *_: opened)
    address = f"{ORIGIN.replace('http', 'ws')}{MACHINE}/terminal?ticket={ticket(created)}"
    with created.client.websocket_connect(address, headers={"origin": ORIGIN}) as socket:
        assert socket.receive_bytes() == b"$ "
        created.post("/logout")
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == 4403
    assert opened.left


def test_another_session_cannot_use_a_ticket(created, stranger):
    theirs = ticket(created)
    created.post("/logout")
    sign_in(created.site, stranger)
    assert refused(stranger, f"{MACHINE}/terminal?ticket={theirs}", origin=ORIGIN)


@pytest.mark.parametrize("machine", ["probe", "desk", "..", "web;id", "s001-web"])
def test_there_are_tickets_for_ones_own_machines_only(created, machine):
    assert created.post(f"/labs/{LAB}/machines/{machine}/ticket").status_code == 404


def test_a_secret_is_for_its_purpose_alone():
    secrets = OneTime(30)
    first, second = secrets.give("login"), secrets.give(("terminal", "a"))
    assert not secrets.take(first, ("terminal", "a"))
    assert not secrets.take(first, "login"), "a wrong try uses it up"
    assert secrets.take(second, ("terminal", "a"))


# What a request says.


@pytest.mark.parametrize(
    "path",
    [
        "/labs/../environments",
        "/labs/net101/..%2f..%2fetc",
        "/labs/%2e%2e/%2e%2e",
        "/static/../app.py",
        "/static/%2e%2e/messages.yaml",
        "/static/vendor/..%2fpackage.json",
        "/static/vendor/package.json",
        "/create/anything",
        "/labs/net101/gone",
    ],
)
def test_paths_lead_nowhere_else(visitor, path):
    assert visitor.client.get(path).status_code == 404


@pytest.mark.parametrize("lab", ["../x/y", "net101", "net101/../x", "/etc/passwd", "a/b/c", "Net101/A", "a/b\n"])
def test_a_lab_cannot_be_written_elsewhere(visitor, lab):
    answer = visitor.post("/create/container", **{**NEW, "lab": lab})
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        assert "labs/a/b.lab.yaml" in words(answer.text)
    assert visitor.site.workspace().repository.uncommitted() == []


XSS = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}"


def test_markup_in_what_people_write_is_text(visitor):
    visitor.created(title=XSS)
    done = visitor.ended(visitor.post(f"/labs/{LAB}/checkpoint", message=XSS))
    assert done.state == "done", done.error
    for path in ("/", f"/labs/{LAB}", f"/labs/{LAB}/deploy", f"/jobs/{done.id}"):
        page = visitor.get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page
    assert XSS in html.unescape(visitor.get(f"/labs/{LAB}").text)


def test_markup_in_a_form_comes_back_as_text(visitor):
    answer = visitor.post("/create/container", **{**NEW, "memory": XSS, "name": XSS})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


def test_a_bug_is_told_on_a_page_that_is_protected_too(site, monkeypatch):
    def broken(_emit=None):
        raise ZeroDivisionError("<b>seven")

    with TestClient(build_app(site), base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False) as client:
        sign_in(site, client)
        monkeypatch.setattr(site, "workspace", broken)
        answer = client.get("/")
    assert answer.status_code == 500
    assert "A bug in Practicum: ZeroDivisionError('<b>seven')" in words(answer.text)
    assert "<b>" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_every_answer_forbids_scripts_of_others(visitor, stranger):
    for path in ("/", "/login", "/gone", "/static/style.css"):
        policy = visitor.get(path).headers["content-security-policy"]
        assert "script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_pages_hold_no_script_and_no_style_of_their_own(created):
    for path in ("/", "/create/container", f"/labs/{LAB}"):
        page = created.get(path).text
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick" not in page
        assert page.count("<script") == page.count("<script src=")
