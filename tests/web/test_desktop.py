"""A desktop in a real browser, of the real image: created, seen, worked in, and refused to whoever it is not for."""

import pytest
from classroom import Classroom, until
from operator_page import Operator
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

pytestmark = [pytest.mark.lxd, pytest.mark.web, pytest.mark.timeout(900)]
LAB = "net101/drawing"
DESKTOP = f"/labs/{LAB}/machines/desk/desktop"
BUILD_MS = 600_000
# How many colours a picture has; none before it has a size.
COLOURS = """canvas => {
  if (!canvas.width) return 0;
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(pixels.buffer)).size;
}"""
# In the terminal that a desktop begins with.
TERMINAL = {"x": 150, "y": 200}


def canvas(operator: Operator):
    return operator.page.locator("#desktop canvas")


def is_there(classroom: Classroom, path: str) -> bool:
    return classroom.run("dev", "prof-desk", f"test -e {path}")[0] == 0


def test_a_desktop_is_created_and_shown(operator: Operator, classroom: Classroom) -> None:
    operator.sign_in()
    operator.click("Create container")
    operator.fill(lab=LAB, title="Drawing", students="1", name="desk", memory="512MiB", disk="4GiB")
    operator.choose("type", "desktop")
    operator.click("Review the change")
    operator.click("Create it now")
    operator.sees("Done.", BUILD_MS)
    operator.sees("Desktop of desk")
    expect(canvas(operator)).to_be_visible(timeout=30_000)
    until(lambda: canvas(operator).evaluate(COLOURS) > 3, "the desktop has a picture")
    assert operator.complaints == []
    classroom.lab = LAB


def test_what_is_typed_and_copied_arrives(operator: Operator, classroom: Classroom) -> None:
    def typed() -> bool:
        canvas(operator).click(position=TERMINAL)
        operator.page.keyboard.type("touch ~/typed\n")
        return is_there(classroom, "/home/student/typed")

    until(typed, "keys reach the terminal")
    operator.page.locator("#desktop-clipboard").fill("touch ~/copied;")
    operator.click("Copy to the desktop")

    def copied() -> bool:
        canvas(operator).click(position=TERMINAL, button="middle")
        operator.page.keyboard.press("Enter")
        return is_there(classroom, "/home/student/copied")

    until(copied, "the clipboard reaches the terminal")
    assert classroom.read("dev", "prof-desk", "stat -c %U /home/student/copied") == "student"
    operator.shot("desktop")


def test_a_lost_connection_is_told_and_what_runs_goes_on(operator: Operator, classroom: Classroom) -> None:
    classroom.read("dev", "prof-desk", "pkill -x nc")
    operator.sees("The connection is lost.")
    operator.page.locator("#desktop [data-desktop-do=again]").click()
    until(lambda: canvas(operator).evaluate(COLOURS) > 3, "the desktop is back")
    assert classroom.read("dev", "prof-desk", "pgrep -c -x xterm") != "0"
    operator.page.locator("#desktop [data-desktop-do=close]").click()
    until(lambda: classroom.run("dev", "prof-desk", "pgrep -x nc")[0] != 0, "the tunnel has gone")


def test_nobody_else_of_the_machine_reaches_the_desktop(classroom: Classroom) -> None:
    classroom.read("dev", "prof-desk", "useradd --create-home other")
    attempts = ("nc -w 1 -U /run/desktop/vnc.sock </dev/null", "DISPLAY=:1 timeout 9 xterm -e true")
    for attempt in attempts:
        code, _ = classroom.run("dev", "prof-desk", f"runuser -u other -- sh -c '{attempt}'")
        assert code != 0, attempt
    key = "XAUTHORITY=/run/desktop/authority"
    for attempt in attempts:
        classroom.read("dev", "prof-desk", f"runuser -u student -- env {key} sh -c '{attempt}' >/dev/null")
    listening = classroom.read("dev", "prof-desk", "cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"0A\" {print $2}'")
    assert {line.rsplit(":", 1)[1] for line in listening.splitlines()} == {"0016"}


def test_only_a_fresh_ticket_of_this_page_opens_it(operator: Operator) -> None:
    answer = operator.page.request.post(f"{operator.address}{DESKTOP}/ticket", headers={"origin": operator.address})
    ticket = answer.json()["ticket"]
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in operator.page.context.cookies())
    place = f"{operator.address.replace('http', 'ws')}{DESKTOP}/screen?ticket={ticket}"

    def opened(origin: str):
        return connect(place, origin=origin, additional_headers={"cookie": cookie}, proxy=None)

    with pytest.raises(InvalidStatus):
        opened("http://elsewhere.example")
    with opened(operator.address) as socket:
        assert socket.recv(timeout=15) == b"RFB 003.008\n"
    # One ticket opens one desktop, once.
    with pytest.raises((InvalidStatus, ConnectionClosed)), opened(operator.address) as socket:
        socket.recv(timeout=15)
