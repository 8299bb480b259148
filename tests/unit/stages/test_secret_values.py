"""Values of references: a secret is the same at every run, another for every seat, and never in git."""

import pytest

from generator.render.references import reference
from practicum.errors import PermissionsError, UnavailableError
from practicum.lxd.client import Lxd
from practicum.stages.deployment import load_deployment
from practicum.stages.values import SECRET_LENGTH, Values

SPEC = "version: 1\ntitle: T\nstudents: class.csv\nmachines:\n  web: {type: debian, setup: [a.j2]}\n"
FILES = {"class.csv": b"login\nada\n", "a.j2": b"{{ secret('db') }} {{ student.login }}\n"}


@pytest.fixture
def values(workspace, deploy):
    deploy(SPEC, FILES)
    return Values(workspace, load_deployment(workspace, "net101/firewalls", "dev"), Lxd("/nonexistent"))


def test_a_secret_is_the_same_at_every_run(workspace, values):
    again = Values(workspace, load_deployment(workspace, "net101/firewalls", "dev"), Lxd("/nonexistent"))
    assert values("secret", "db", "s001") == again("secret", "db", "s001")
    assert len(values("secret", "db", "s001")) == SECRET_LENGTH


def test_a_secret_is_another_for_every_seat_name_and_key(workspace, values):
    found = {values("secret", name, seat) for name in ("db", "web") for seat in ("prof", "s001", "s002")}
    (workspace.repository.root / ".practicum/secret.key").write_text("fedcba9876543210" * 4 + "\n")
    fresh = Values(workspace, values.deployment, values.lxd)
    assert len(found | {fresh("secret", "db", "prof")}) == 7


def test_the_secret_stands_in_no_file_of_the_repository(workspace, values):
    secret = values("secret", "db", "prof").encode()
    files = workspace.repository.committed("")
    assert reference("secret", "db").encode() in b"".join(files.values())
    assert all(secret not in data for data in files.values())
    assert not any("secret.key" in path for path in files)


def test_a_login_is_read_from_the_seat_book_and_a_seat_without_one_has_its_own_name(values):
    assert values("login", "", "s001") == "ada"
    assert values("login", "", "prof") == "prof"


def test_a_key_that_is_gone_is_told_with_how_to_make_one(workspace, values):
    (workspace.repository.root / ".practicum/secret.key").unlink()
    with pytest.raises(PermissionsError) as caught:
        values("secret", "db", "s001")
    assert "secret.key" in caught.value.resolution


def test_a_key_that_can_be_guessed_is_refused(workspace, values):
    (workspace.repository.root / ".practicum/secret.key").write_text("short\n")
    with pytest.raises(PermissionsError, match="too short"):
        values("secret", "db", "s001")


def test_an_unknown_kind_is_refused(values):
    with pytest.raises(UnavailableError, match="'weather'"):
        values("weather", "", "s001")
