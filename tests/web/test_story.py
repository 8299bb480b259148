"""From a blank slate to a deployed class in a real browser, on real machines; and what must not open a terminal."""

import pytest
from classroom import Classroom, until
from operator_page import Operator
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

pytestmark = [pytest.mark.lxd, pytest.mark.web, pytest.mark.alone]
LAB = "net101/firewalls"
MACHINE = f"/labs/{LAB}/machines/web"


def test_from_a_blank_slate_to_a_terminal(operator: Operator, classroom: Classroom) -> None:
    operator.sign_in()
    operator.sees("No lab yet")
    operator.shot("blank")
    operator.click("Create container")
    operator.fill(lab=LAB, title="Packet <b>filtering</b>", students="2", name="web", memory="64", disk="256MiB")
    operator.choose("type", "webserver")
    operator.click("Review the change")
    operator.sees("'memory' must be a size such as 512MiB or 2GiB")
    operator.shot("errors")
    assert operator.complaints == [
        "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
    ]
    operator.complaints.clear()
    operator.fill(memory="64MiB")
    operator.click("Review the change")
    operator.sees("{type: webserver, memory: 64MiB, disk: 256MiB}")
    operator.shot("review")
    operator.click("Create it now")
    operator.sees("Done.")
    operator.sees("Terminal of web")
    operator.type("echo $((6*7)) by $(id -un)")
    operator.reads("42 by student")
    operator.shot("terminal")
    classroom.lab = LAB


def test_the_terminal_follows_the_window(operator: Operator) -> None:
    operator.page.set_viewport_size({"width": 420, "height": 800})
    rows = operator.page.locator(".xterm-rows")
    until(lambda: rows.bounding_box()["width"] < 420, "the terminal became narrow")
    operator.type('clear; stty size | awk \'{print ($2 < 60) ? "nar" "row" : "wi" "de"}\'')
    operator.reads("narrow")
    operator.shot("terminal-phone")
    operator.page.set_viewport_size({"width": 1100, "height": 800})


def test_a_shell_that_nobody_sees_any_more_ends(operator: Operator, classroom: Classroom) -> None:
    def shells() -> int:
        return int(classroom.read("dev", "prof-web", "ps | grep -c '[s]tudent.*-sh' || true"))

    until(lambda: shells() == 1, "the shell runs")
    operator.page.get_by_role("button", name="Close").click()
    until(lambda: shells() == 0, "the shell has ended")


def test_a_checkpoint_and_the_class(operator: Operator, classroom: Classroom) -> None:
    operator.page.goto(f"{operator.address}/labs/{LAB}")
    operator.sees("Packet <b>filtering</b>")
    expect(operator.button("Deploy to all students")).to_be_disabled()
    operator.fill(message="The first task")
    operator.click("Take a checkpoint")
    operator.sees("Done.")
    operator.click("To the lab")
    operator.click("Deploy to all students")
    operator.sees("2 students get their first machines")
    operator.shot("plan")
    operator.click("Deploy to 2 students")
    operator.sees("of 2 ready")
    operator.page.reload()
    operator.shot("deploying")
    operator.sees("2 of 2 ready")
    operator.sees("Done.")
    operator.shot("deployed")
    operator.click("To the lab")
    operator.sees("s002")
    operator.shot("lab")
    states = {name: one["status"] for name, one in classroom.instances("prod").items()}
    assert states == dict.fromkeys(("probe", "prof-web", "s001-web", "s002-web"), "Running")
    assert operator.complaints == []


def test_a_student_finds_their_machine_works_in_it_and_restarts_it(operator: Operator, classroom: Classroom) -> None:
    invited = classroom.say("invite", LAB, "--url", operator.address)
    links = [line.split()[-1] for line in invited.stdout.splitlines()]
    assert len(links) == 2, invited.stderr
    student = Operator(operator.page.context.browser.new_context().new_page(), links[1], operator.screenshots)
    student.sign_in()
    student.sees("Restart stops your machines")
    student.click("Open terminal of web")
    student.type("hostname; echo $((6*7)) by $(id -un)")
    student.reads("42 by student")
    student.shot("student")
    operator.page.goto(f"{operator.address}/labs/{LAB}")
    operator.click("Look at the terminal of web, s002")
    operator.reads("42 by student")
    operator.sees("What you type goes nowhere")
    student.sees("Somebody who teaches is looking at it")
    operator.shot("looking")
    student.click("Restart")
    student.sees("Done.")
    student.click("To the lab")
    operator.sees("The student's terminal is closed.")
    operator.click("Open terminal of web, s002")
    operator.reads("$")
    student.page.reload()
    student.click("Who of the teachers opened a terminal in your machines")
    student.sees("whoever runs the server")
    expect(student.page.get_by_text("s001")).to_have_count(0)
    student.page.goto(f"{student.address}/labs/{LAB}/deploy")
    student.sees("You may not do that here")
    assert [said for said in student.complaints if "403" not in said] == []
    student.page.context.close()


def test_the_page_fits_a_phone(operator: Operator) -> None:
    operator.page.set_viewport_size({"width": 360, "height": 700})
    operator.page.emulate_media(color_scheme="dark")
    operator.page.goto(f"{operator.address}/labs/{LAB}")
    operator.shot("lab-phone-dark")
    wide = operator.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    box = operator.button("Open terminal of web").bounding_box()
    assert box["x"] + box["width"] <= 360


def cookie_of(operator: Operator) -> str:
    return "; ".join(f"{one['name']}={one['value']}" for one in operator.page.context.cookies())


def ticket(operator: Operator) -> str:
    answer = operator.page.request.post(f"{operator.address}{MACHINE}/ticket", headers={"origin": operator.address})
    assert answer.status == 200
    return answer.json()["ticket"]


def status(
    operator: Operator, secret: str, *, origin: str = "", cookie: str | None = None, machine: str = MACHINE
) -> int:
    """Return how the server answers the wish for a terminal: 101 is a terminal."""

    address = f"{operator.address.replace('http', 'ws')}{machine}/terminal?ticket={secret}"
    headers = {"cookie": cookie_of(operator) if cookie is None else cookie}
    try:
        with connect(address, origin=origin or operator.address, additional_headers=headers, proxy=None):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_ticket_opens_one_terminal_for_one_session_of_our_own_page(operator: Operator) -> None:
    good = ticket(operator)
    assert status(operator, good, origin="https://evil.example") == 403
    assert status(operator, good, cookie="") == 403
    assert status(operator, good) == 101
    assert status(operator, good) == 403
    assert status(operator, "made-up") == 403
    assert status(operator, ticket(operator), machine=MACHINE.replace("web", "desk")) == 403


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(operator: Operator) -> None:
    (cookie,) = operator.page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert operator.page.evaluate("document.cookie") == ""


def test_the_login_link_works_once(operator: Operator) -> None:
    other = operator.page.context.browser.new_context().new_page()
    other.goto(operator.link)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_text("This link was used already")).to_be_visible()
    other.context.close()


def test_signing_out_ends_the_terminal_and_says_so(operator: Operator) -> None:
    operator.page.goto(f"{operator.address}/labs/{LAB}")
    operator.click("Open terminal of web")
    operator.reads("$")
    other = operator.page.context.new_page()
    other.goto(operator.address)
    other.get_by_role("button", name="Sign out").click()
    state = operator.page.locator("#console .console-state")
    expect(state).to_have_text("You are not signed in any more. Load the page again.")
    with operator.page.expect_response("**/ticket"):
        operator.click("Open again")
    expect(state).to_have_text("You are not signed in any more. Load the page again.")
