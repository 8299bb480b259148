"""Who may do what: the table, where roles come from, and that no page is outside of it."""

import re

import pytest
from starlette.routing import Route, WebSocketRoute
from visitor import LAB, words
from web_university import LEO, MIA

from practicum.web.app import build_app
from practicum.web.roles import ACTS, MAY, Standing, may, standing_in
from practicum.web.users import OPERATOR, User

# Who may do each act: to a lab, or to a copy in the class that is not their own.
TABLE = {
    "see lab": "operator professor assistant",
    "make": "operator professor",
    "own copy": "operator professor",
    "deploy": "operator professor",
    "operate": "operator professor",
    "see seat": "operator professor assistant",
    "console": "operator professor assistant",
    "look": "operator professor assistant",
    "repair": "operator professor assistant",
    "start over": "operator professor",
    "progress": "operator professor assistant",
    "snapshot": "operator professor",
    "update": "operator professor",
    "files": "",
}
OWN = {"see seat", "console", "repair", "start over", "progress", "snapshot", "update", "files"}


def test_every_act_is_in_the_table():
    assert set(TABLE) == set(ACTS)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", MAY)
def test_what_a_role_may_do(role, act):
    assert may(Standing(role), act, "s002") == (role in TABLE[act].split())


@pytest.mark.parametrize("act", ACTS)
def test_a_student_may_do_it_to_their_own_copy_alone(act):
    mine = Standing("student", "s001")
    assert may(mine, act, "s001") == (act in OWN)
    assert not may(mine, act, "s002")
    assert not may(mine, act)


@pytest.fixture
def listed(university):
    """A university whose class has names, of which nothing is on LXD."""
    university.list()
    return university


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (OPERATOR, Standing("operator")),
        (User("ADA"), Standing("professor")),
        (User("bo"), Standing("assistant")),
        (User("leo"), Standing("student", "s002")),
        (User("eve"), Standing("nobody")),
        (User("s001"), Standing("nobody")),
        (User(lab=LAB, seat="s001"), Standing("nobody")),
    ],
)
def test_roles_are_what_spec_and_roster_on_main_say(listed, user, expected):
    assert standing_in(listed.site.workspace(), user, LAB) == expected


def test_who_leaves_the_roster_is_nobody_at_once(listed):
    listed.list(roster="login,name\nmia,Mia\n")
    assert standing_in(listed.site.workspace(), User("leo"), LAB) == Standing("nobody")


def test_a_numbered_place_is_of_its_lab_alone(listed):
    listed.list(spec="version: 1\ntitle: Small\nstudents: 2\nmachines: {web: {type: webserver}}\n", lab="art1/numbers")
    workspace = listed.site.workspace()
    assert standing_in(workspace, User(lab="art1/numbers", seat="s002"), "art1/numbers") == Standing("student", "s002")
    assert standing_in(workspace, User(lab="art1/numbers", seat="s003"), "art1/numbers") == Standing("nobody")
    assert standing_in(workspace, User(lab=LAB, seat="s002"), "art1/numbers") == Standing("nobody")


def test_what_is_not_on_main_gives_nobody_a_role(listed):
    spec = listed.site.folder / f"labs/{LAB}.lab.yaml"
    spec.write_text(spec.read_text().replace("ada", "eve"))
    assert standing_in(listed.site.workspace(), User("eve"), LAB) == Standing("nobody")


def addresses(site, method):
    """Yield every address of the web page that needs a session, filled in with a student's copy."""
    values = {"course": "net101", "lab": "small", "seat": "s002", "machine": "web", "kind": "container", "key": "job"}
    for route in build_app(site).routes:
        if isinstance(route, WebSocketRoute) or not isinstance(route, Route):
            continue
        if method in route.methods and not route.path.startswith(("/login", "/logout", "/static")):
            yield re.sub(r"{(\w+)}", lambda found: values[found[1]], route.path)


@pytest.mark.parametrize("login", ["eve", "nobody", "mia"])
def test_nobody_gets_anywhere_with_a_lab_or_copy_that_is_none_of_theirs(listed, login):
    visitor = listed.person(login)
    job = listed.site.jobs.start("checks", LAB, lambda job: None)
    for method in ("GET", "POST"):
        for path in addresses(listed.site, method):
            answer = visitor.client.request(
                method, path.replace("/jobs/job", f"/jobs/{job.id}"), headers={"origin": str(visitor.client.base_url)}
            )
            allowed = path in ("/", "/courses/net101") or (login == "eve" and path == "/create/container")
            assert answer.status_code in ((200, 303, 422) if allowed else (403, 404)), (method, path)
            assert "Leo" not in answer.text


def test_an_assistant_repairs_and_looks_but_does_not_deploy(listed):
    visitor = listed.person("bo")
    assert visitor.post(f"/labs/{LAB}/deploy", checkpoint="1").status_code == 403
    assert visitor.post(f"/labs/{LAB}/checkpoint").status_code == 403
    assert visitor.get(f"{LEO}/start_over").status_code == 403
    assert visitor.get("/create/container").status_code == 403
    assert "You may not do that here" in words(visitor.get(f"/labs/{LAB}/deploy").text)
    page = visitor.text(f"/labs/{LAB}")
    assert "The class" in page
    assert "Take a checkpoint" not in page
    assert "Deploy to all" not in page


def test_a_professor_begins_labs_in_their_own_course_and_owns_them(listed):
    visitor = listed.person("eve")
    form = {"title": "New", "students": "1", "type": "webserver", "name": "web", "cpu": "", "memory": "", "disk": ""}
    assert "you teach no lab of the course net101" in words(
        visitor.post("/create/container", lab="net101/new", **form).text
    )
    shown = visitor.post("/create/container", lab="art1/new", **form)
    assert "+professor: eve" in words(shown.text), re.findall("role=.alert.*", shown.text)


def test_a_student_of_one_course_is_led_there(listed):
    assert listed.person("mia").get("/").headers["location"] == "/courses/net101"


def test_who_is_on_no_list_learns_whom_to_ask(listed):
    page = listed.person("zoe").text("/courses/net101")
    assert "You are not on the class list of net101" in page
    assert "Ask who teaches the course: ada." in page
    assert "known here: zoe" in page
    assert "zoe, who is on no class list here" in listed.person("zoe").text("/")


def test_a_student_sees_no_lab_before_it_is_deployed(listed):
    assert "Your machines are not there yet" in listed.person("mia").text("/courses/net101")
    assert listed.person("mia").get(f"{MIA}/machines").status_code != 500


def test_a_list_of_students_that_cannot_be_read_is_told_and_lets_nobody_in(listed):
    listed.site.workspace().repository.commit({f"labs/{LAB}.seats.yaml": b"s001: [\n"}, "Break it")
    answer = listed.person("mia").get("/courses/net101")
    assert answer.status_code == 422
    assert f"labs/{LAB}.seats.yaml:" in words(answer.text)


def test_a_lab_whose_file_is_gone_here_but_not_on_main_breaks_no_page(listed):
    (listed.site.folder / f"labs/{LAB}.lab.yaml").unlink()
    assert listed.person("mia").get("/courses/net101").status_code == 200
    assert listed.person("bo").get("/").status_code == 200
