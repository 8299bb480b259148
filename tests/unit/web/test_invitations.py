"""Personal links: for one person, until a day, taken back at once, and worth nothing when somebody made them up."""

import csv
import stat
import time

import pytest
from itsdangerous import URLSafeSerializer
from visitor import LAB, OURS, words
from web_university import DAY

from practicum.cli.main import run
from practicum.errors import PermissionsError
from practicum.web.invitations import Invitations
from practicum.web.users import User

ADA, MIA = User("Ada"), User("mia")


@pytest.fixture
def links(tmp_path):
    return Invitations(tmp_path)


def test_a_link_is_for_its_person_until_its_day(links):
    found = links.find(links.give(ADA, 1000.0, 2000.0))
    assert (found.user, links.is_good(found, 1999.0), links.is_good(found, 2000.0)) == (ADA, True, False)


def test_two_who_begin_at_once_sign_with_one_key(links, tmp_path):
    first = links.give(ADA, 0.0, 1.0)
    assert Invitations(tmp_path).find(first).user == ADA
    assert stat.S_IMODE((tmp_path / ".practicum/web.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / ".practicum").iterdir()] == ["web.key"]


@pytest.mark.parametrize("secret", ["", "x", "W10.x", "."])
def test_what_was_not_signed_here_is_no_link(links, secret):
    assert links.find(secret) is None


def test_a_link_of_another_repository_is_none(links, tmp_path):
    other = Invitations(tmp_path / "other")
    (tmp_path / "other").mkdir()
    assert links.find(other.give(ADA, 0.0, 1.0)) is None


def test_what_the_key_signed_for_something_else_is_no_link(links, tmp_path):
    links.give(ADA, 0.0, 1.0)
    key = (tmp_path / ".practicum/web.key").read_text()
    assert links.find(URLSafeSerializer(key, salt="session").dumps(["ada", "", "", 0.0, 1.0])) is None


def test_taking_back_is_for_one_person_and_for_what_was_given_before(links):
    before, others = links.find(links.give(ADA, 1.0, 99.0)), links.find(links.give(MIA, 1.0, 99.0))
    links.revoke([User("ADA")], 2.0)
    after = links.find(links.give(ADA, 3.0, 99.0))
    assert [links.is_good(one, 4.0) for one in (before, others, after)] == [False, True, True]


def test_when_nobody_knows_what_was_taken_back_no_link_counts(links, tmp_path):
    found = links.find(links.give(ADA, 1.0, 99.0))
    (tmp_path / ".practicum/web-revoked.json").write_text("{")
    with pytest.raises(PermissionsError, match="no personal link counts"):
        links.is_good(found, 2.0)


def test_a_link_names_its_person_before_it_is_used_and_works_again(university):
    university.list()
    secret, visitor = university.link("mia"), university.stranger()
    assert "This link is for mia." in visitor.text(f"/login?token={secret}")
    assert visitor.get("/").status_code == 303, "looking at it signs nobody in"
    for _ in range(2):
        assert visitor.client.post("/login", data={"token": secret}, headers=OURS).status_code == 303
        assert "mia" in visitor.text("/courses/net101")


def test_a_link_that_is_over_signs_nobody_in(university):
    visitor = university.stranger()
    for secret in (university.link("mia", days=-1), "made-up"):
        answer = visitor.client.post("/login", data={"token": secret}, headers=OURS)
        assert answer.status_code == 403
        assert "used already, or is too old" in words(answer.text)


def test_a_session_ends_with_its_link(university):
    university.list()
    mia, bo = university.person("mia"), university.person("bo")
    university.site.invitations.revoke([User("mia")], time.time())
    assert mia.get("/courses/net101").headers["location"] == "/login"
    assert bo.get(f"/labs/{LAB}").status_code == 200
    soon = university.person("mia", days=0.5 / DAY)
    while soon.get("/courses/net101").status_code == 200:
        pass
    assert soon.get("/courses/net101").headers["location"] == "/login"


def test_who_uses_another_link_is_not_who_they_were(university):
    university.list()
    visitor = university.person("ada")
    assert visitor.get(f"/labs/{LAB}").status_code == 200
    visitor.client.post("/login", data={"token": university.link("mia")}, headers=OURS)
    assert visitor.get(f"/labs/{LAB}").status_code == 403
    assert len(university.site.sessions) == 1


def invited(university, capfd, *options):
    code = run(["-C", str(university.site.folder), "invite", LAB, *options])
    said = capfd.readouterr()
    return code, said.out, said.err


def test_every_student_of_the_class_is_invited_and_can_come(university, capfd):
    university.list(roster="login,name\nmia,Mia Lind\nleo,=cmd()\n")
    code, out, err = invited(university, capfd, "--url", "https://labs.example.org/", "--csv")
    assert code == 0
    head, mia, leo = csv.reader(out.splitlines())
    assert (head, mia[:3], leo[:3]) == (
        ["seat", "login", "name", "link"],
        ["s001", "mia", "Mia Lind"],
        ["s002", "leo", "'=cmd()"],
    )
    assert "180 days" in err
    visitor = university.stranger()
    secret = mia[3].removeprefix("https://labs.example.org/login?token=")
    assert visitor.client.post("/login", data={"token": secret}, headers=OURS).status_code == 303
    assert "mia" in visitor.text("/courses/net101")
    assert invited(university, capfd, "--seat", "s001", "--revoke")[0] == 0
    assert visitor.get("/courses/net101").status_code == 303


def test_staff_is_invited_by_role_and_address_of_the_platform_file(university, capfd):
    university.list()
    _, out, _ = invited(university, capfd, "--staff")
    assert [line.split("  ")[:2] for line in out.splitlines()] == [["professor", "ada"], ["assistant", "Bo"]]
    assert "http://127.0.0.1:8080/login?token=" in out


def test_a_class_without_names_gets_links_by_place(university, capfd):
    university.list(spec="version: 1\ntitle: Small\nstudents: 1\nmachines: {web: {type: webserver}}\n")
    _, out, _ = invited(university, capfd)
    found = university.site.invitations.find(out.strip().partition("token=")[2])
    assert found.user == User(lab=LAB, seat="s001")
    code, _, err = invited(university, capfd, "--staff")
    assert (code, "says of nobody that they teach it" in err) == (2, True)


def test_who_left_or_never_was_there_is_not_invited(university, capfd):
    university.list()
    university.list(roster="login,name\nmia,Mia\n")
    _, out, _ = invited(university, capfd)
    assert "leo" not in out.lower()
    code, _, err = invited(university, capfd, "--seat", "s002")
    assert (code, "no such seat: s002" in err, "seats are: s001" in err) == (2, True, True)
    code, _, err = invited(university, capfd, "--staff", "--seat", "s001")
    assert code == 2
