"""Who teaches looks on at a student's terminal: what it shows; nothing typed there arrives, and it is told."""

import asyncio
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress

import pytest
from starlette.websockets import WebSocketDisconnect
from visitor import ORIGIN
from web_university import LEO, MIA

from practicum.web.screens import MOST_KEPT, MOST_WAITING, Screen

WEB = f"{MIA}/machines/web"


class Shell:
    """A terminal that echoes what is typed, and ends with 'x'."""

    def __init__(self, *_):
        self.typed = b""
        self._shown = asyncio.Queue()

    async def __aenter__(self):
        self._shown.put_nowait(b"$ ")
        return self

    async def __aexit__(self, *_):
        pass

    async def output(self):
        while (piece := await self._shown.get()) != b"x":
            yield piece

    async def write(self, data):
        self.typed += data
        self._shown.put_nowait(data)

    async def resize(self, columns, rows):
        pass

    async def exit_code(self):
        return 0


@pytest.fixture
def shells(monkeypatch):
    """The terminals that were opened."""
    opened = []

    def terminal(*_):
        opened.append(Shell())
        return opened[-1]

    monkeypatch.setattr("practicum.web.terminal.terminal", terminal)
    return opened


def _leave(session):
    """Close a WebSocket: the test client ends what it leaves, and tells that it did."""
    with suppress(CancelledError):
        session.__exit__(None, None, None)


@pytest.fixture
def opens(deployed, shells):
    """Open a WebSocket of somebody, all in one server: `opens(visitor, path)`."""
    client = deployed.stranger().client

    @contextmanager
    def run(visitor, path):
        ticket = visitor.post(f"{path}/ticket")
        assert ticket.status_code == 200, ticket.text
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
        address = f"{ORIGIN.replace('http', 'ws')}{path}/terminal?ticket={ticket.json()['ticket']}"
        session = client.websocket_connect(address, headers={"origin": ORIGIN, "cookie": cookie})
        with ExitStack() as leaving:
            socket = session.__enter__()
            leaving.callback(_leave, session)
            yield socket

    return run


def test_who_looks_sees_what_was_shown_and_what_comes(deployed, opens, shells):
    mia, bo = deployed.person("mia"), deployed.person("bo")
    with opens(mia, WEB) as student:
        assert student.receive_bytes() == b"$ "
        student.send_json({"resize": [100, 30]})
        student.send_bytes(b"ls")
        assert student.receive_bytes() == b"ls"
        with opens(bo, f"{WEB}/look") as teacher:
            assert teacher.receive_json() == {"size": [100, 30]}
            assert teacher.receive_bytes() == b"$ ls"
            assert student.receive_json() == {"watched": 1}
            teacher.send_bytes(b"rm -rf")
            student.send_bytes(b" -l")
            assert teacher.receive_bytes() == b" -l"
            student.send_bytes(b"x")
            assert teacher.receive_json()["error"] == "The student's terminal is closed."
    assert [one.typed for one in shells] == [b"ls -lx"]
    page = mia.text("/courses/net101")
    assert "web · bo · looked at your terminal" in page


def test_a_student_learns_that_nobody_looks_any_more(deployed, opens):
    with opens(deployed.person("mia"), WEB) as student:
        student.receive_bytes()
        with opens(deployed.person("bo"), f"{WEB}/look") as teacher:
            teacher.receive_json()
            assert student.receive_json() == {"watched": 1}
        assert student.receive_json() == {"watched": 0}


def test_there_is_nothing_to_look_at_where_no_student_has_a_terminal(deployed, opens):
    bo = deployed.person("bo")
    with opens(bo, WEB) as own:
        own.receive_bytes()
        answer = bo.post(f"{WEB}/look/ticket")
        assert (answer.status_code, answer.json()["error"]) == (409, "The student has no terminal open there.")
    assert "looked at your terminal" not in deployed.person("mia").text("/courses/net101")


def test_students_look_at_nobody(deployed, opens):
    mia, leo = deployed.person("mia"), deployed.person("leo")
    with opens(mia, WEB) as student:
        student.receive_bytes()
        assert leo.post(f"{WEB}/look/ticket").status_code == 403
        assert mia.post(f"{WEB}/look/ticket").status_code == 403
        assert mia.post(f"{LEO}/machines/web/look/ticket").status_code == 403


def test_a_ticket_to_look_opens_no_terminal_and_the_other_way_round(deployed, opens):
    bo = deployed.person("bo")
    with opens(deployed.person("mia"), WEB) as student:
        student.receive_bytes()
        look, work = bo.post(f"{WEB}/look/ticket").json()["ticket"], bo.post(f"{WEB}/ticket").json()["ticket"]
        for path, ticket in ((WEB, look), (f"{WEB}/look", work)):
            address = f"{ORIGIN.replace('http', 'ws')}{path}/terminal?ticket={ticket}"
            with (
                pytest.raises(WebSocketDisconnect) as closed,
                bo.client.websocket_connect(address, headers={"origin": ORIGIN}),
            ):
                pass
            assert closed.value.code == 4403


def test_only_the_end_of_what_was_shown_is_kept():
    screen = Screen((80, 24))
    for _ in range(100):
        screen.add(b"a" * 1000)
    screen.add(b"end")
    watcher = screen.watch()
    assert watcher.get_nowait() == (80, 24)
    shown = watcher.get_nowait()
    assert shown.endswith(b"aend")
    assert len(shown) <= MOST_KEPT


def test_a_browser_that_is_too_slow_sees_the_end_and_holds_nobody_up():
    screen = Screen((80, 24))
    slow, quick = screen.watch(), screen.watch()
    for _ in range(2 * MOST_WAITING):
        screen.add(b"a")
        while not quick.empty():
            quick.get_nowait()
    pieces = [slow.get_nowait() for _ in range(slow.qsize())]
    assert len(pieces) == MOST_WAITING
    assert pieces[-1] is None
    screen.add(b"b")
    assert (slow.empty(), quick.get_nowait()) == (True, b"b")
