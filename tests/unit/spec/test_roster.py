"""Rosters as spreadsheets and learning platforms write them."""

import pytest

from generator.spec.model import Student
from generator.spec.roster import read_roster


def read(text):
    return read_roster(text if isinstance(text, bytes) else text.encode(), "students.csv")


def told(text):
    return [(problem.code, problem.position.line, problem.position.column) for problem in read(text).diagnostics]


ADA = Student("ada", "Ada Lovelace", "ada@example.org", "A")


@pytest.mark.parametrize(
    "text",
    [
        "login,name,email,group\nada,Ada Lovelace,ada@example.org,A\n",
        "login;name;email;group\r\nada;Ada Lovelace;ada@example.org;A\r\n",
        "login\tname\temail\tgroup\nada\tAda Lovelace\tada@example.org\tA",
        b"\xef\xbb\xbflogin,name,email,group\nada,Ada Lovelace,ada@example.org,A\n",
        '"Login","Name","Email","Group"\n"ada","Ada Lovelace","ada@example.org","A"\n',
        "group,Matriculation,email,name,login\nA,1815,ada@example.org,Ada Lovelace, ada \n",
        "\nlogin,name,email,group\n\nada,Ada Lovelace,ada@example.org,A\n,,,\n",
    ],
)
def test_the_same_student_in_many_forms(text):
    assert read(text).diagnostics == ()
    assert read(text).students == (ADA,)


def test_columns_but_login_may_be_missing():
    assert read("login\nada\nbo\n").students == (Student("ada"), Student("bo"))


def test_a_name_can_hold_commas_and_line_breaks():
    roster = read('login,name\nada,"Lovelace,\nAda"\nbo,Bo\nbo,Bo\n')
    assert roster.students[0].name == "Lovelace,\nAda"
    assert [problem.position.line for problem in roster.diagnostics] == [5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("PRA066", 1, 1)]),
        ("login,name\n", [("PRA066", 1, 1)]),
        ("ada,Ada\nbo,Bo\n", [("PRA062", 1, 1)]),
        ("login,name\n,Ada\n", [("PRA063", 2, 1)]),
        ("name,login\nAda,\n", [("PRA063", 2, 1)]),
        ("name,login\nAda,ada\nAda,ADA\n", [("PRA064", 3, 5)]),
        ("login\na b\n", [("PRA068", 2, 1)]),
        ("login\n=1+1\n", [("PRA068", 2, 1)]),
        ("login,name\nada,Ada,x\n", [("PRA065", 2, 1)]),
        ('login,name\nada,Ada\nbo,"Bo\ncy,Cy\n', [("PRA065", 3, 1)]),
        (b"login\n\xe4da\n", [("PRA061", 2, 1)]),
        ("login\nada\n".encode("utf-16"), [("PRA061", 1, 1)]),
    ],
)
def test_bad_rosters_are_told_with_their_place(text, expected):
    assert told(text) == expected


def test_all_bad_lines_are_told():
    assert [line for _code, line, _column in told("login\na b\nada\nada\nc d\n")] == [2, 4, 5]


@pytest.mark.parametrize(
    "text",
    [
        "Username,First name,Surname,Email address,Groups\ngrace,Grace,Hopper,g@x.org,A\n",
        "Anmeldename;Vorname;Nachname;E-Mail-Adresse;Gruppe\ngrace;Grace;Hopper;g@x.org;A\n",
        "sep=;\r\nLogin;Name;Email;Group\r\ngrace;Grace Hopper;g@x.org;A\r\n;;;\r\n",
        '"Name","Username","Email","Group"\n"Grace Hopper","grace","g@x.org","A"\n',
        "\ufefflogin\tname\temail\tgroup\t\t\n grace \tGrace Hopper\tg@x.org\tA\t\t\n",
        "login;name;email;group\ngrace;Grace Hopper;g@x.org;A;;;\n;;;;;;\n",
    ],
)
def test_what_spreadsheets_moodle_and_gitlab_export_is_read(text):
    roster = read_roster(text.encode(), "students.csv")
    assert roster.diagnostics == ()
    assert roster.students == (Student("grace", "Grace Hopper", "g@x.org", "A"),)


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"PK\x03\x04", "PRA061", "spreadsheet"),
        ("login\nada\n".encode("utf-16"), "PRA061", "UTF-16"),
        (b"ada,ada@x.org\nbo,bo@x.org\n", "PRA062", "first line of this roster is a student"),
        (b"login,login\na,b\n", "PRA062", "two columns"),
        (b"login\n<<<<<<< HEAD\nada\n", "PRA015", "merge conflict"),
    ],
)
def test_what_is_no_roster_is_told_once(data, code, words):
    (problem,) = read_roster(data, "students.csv").diagnostics
    assert problem.code == code
    assert words in problem.message


def test_a_bad_login_is_told_at_its_own_cell():
    (problem,) = read_roster(b'name,login\n"b, a","b a"\n', "students.csv").diagnostics
    assert (problem.position.column, problem.position.end_column) == (9, 12)
