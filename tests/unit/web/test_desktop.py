"""Desktops: who gets a ticket, what passes, how an end is told, and what the list for students says."""

import asyncio
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress

import pytest
from starlette.websockets import WebSocketDisconnect
from visitor import ORIGIN
from web_university import LEO, MIA

from generator.catalogue.load import load_catalogue
from practicum.lxd.desktop import SOCKET, TUNNEL
from practicum.web.desktop import FAILED
from practicum.web.terminal import REFUSED

DESKTOP = f"{MIA}/machines/web/desktop"


class Picture:
    """A desktop that greets, answers what it is told, and ends with 'x' and a complaint."""

    async def __aenter__(self):
        self._shown = asyncio.Queue()
        self._shown.put_nowait(b"RFB 003.008\n")
        return self

    async def __aexit__(self, *_):
        pass

    async def shown(self):
        while (piece := await self._shown.get()) != b"x":
            yield piece

    async def write(self, data):
        self._shown.put_nowait(data)

    async def complaint(self):
        return "nc: it went away, " + "ü" * 200


@pytest.fixture
def pictures(monkeypatch):
    """The desktops that were asked for: environment, seat and machine."""
    asked = []

    def desktop(_workspace, _lab, *place):
        asked.append(place)
        return Picture()

    monkeypatch.setattr("practicum.web.desktop.desktop", desktop)
    return asked


@contextmanager
def opened(visitor, path, ticket):
    """Open a WebSocket of somebody; the test client ends what it leaves, and tells that it did."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
    address = f"{ORIGIN.replace('http', 'ws')}{path}/screen?ticket={ticket}"
    session = visitor.client.websocket_connect(address, headers={"origin": ORIGIN, "cookie": cookie})
    socket = session.__enter__()
    try:
        yield socket
    finally:
        with suppress(CancelledError):
            session.__exit__(None, None, None)


def ticket(visitor, path):
    answer = visitor.post(f"{path}/ticket")
    assert answer.status_code == 200, answer.text
    return answer.json()["ticket"]


def test_bytes_pass_both_ways_and_the_end_says_why(deployed, pictures):
    mia = deployed.person("mia")
    with opened(mia, DESKTOP, ticket(mia, DESKTOP)) as socket:
        assert socket.receive_bytes() == b"RFB 003.008\n"
        socket.send_bytes(b"\x00\xff")
        assert socket.receive_bytes() == b"\x00\xff"
        socket.send_bytes(b"x")
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_bytes()
    assert (end.value.code, end.value.reason[:22]) == (FAILED, "nc: it went away, üüüü")
    assert len(end.value.reason.encode()) <= 123
    assert pictures == [("prod", "s001", "web")]


def test_a_ticket_opens_one_desktop_once_and_no_terminal(deployed, pictures):
    mia = deployed.person("mia")
    given = ticket(mia, DESKTOP)
    with opened(mia, DESKTOP, given) as socket:
        socket.receive_bytes()
    for wrong in (given, "", ticket(mia, f"{MIA}/machines/web")):
        with pytest.raises(WebSocketDisconnect) as refused, opened(mia, DESKTOP, wrong) as socket:
            socket.receive_bytes()
        assert refused.value.code == REFUSED
    assert len(pictures) == 1


def test_the_desktop_of_somebody_else_is_refused(deployed, pictures):
    mia = deployed.person("mia")
    assert mia.post(f"{LEO}/machines/web/desktop/ticket").status_code == 403
    given = ticket(mia, DESKTOP)
    with pytest.raises(WebSocketDisconnect), opened(mia, f"{LEO}/machines/web/desktop", given) as socket:
        socket.receive_bytes()
    assert pictures == []


def test_who_teaches_is_on_the_list_that_the_student_sees(deployed, pictures):
    ticket(deployed.person("bo"), DESKTOP)
    assert "opened your desktop" in deployed.person("mia").get("/courses/net101").text
    assert pictures == []


def test_a_machine_without_a_desktop_has_no_button_and_says_so(deployed):
    mia = deployed.person("mia")
    assert "data-desktop=" not in mia.get("/courses/net101").text
    with pytest.raises(WebSocketDisconnect) as refused, opened(mia, DESKTOP, ticket(mia, DESKTOP)) as socket:
        socket.receive_bytes()
    assert (refused.value.code, refused.value.reason) == (FAILED, "machine web has no desktop; open its terminal")


def test_the_image_has_its_desktop_where_the_tunnel_leads():
    image = load_catalogue()["desktop"].image
    assert f"-rfbunixpath {SOCKET} " in image.files["/etc/systemd/system/desktop.service"]
    assert TUNNEL[0] == "nc"
    assert "netcat-openbsd" in image.packages
