"""The proof of a destruction: of all runs, in both forms, and honest about what it cannot know."""

import json

import pytest

from practicum.errors import InputError, UsageError
from practicum.lxd.inventory import Marked
from practicum.stages.destruction import Journal
from practicum.stages.init import init
from practicum.stages.workspace import Workspace

LAB = "net101/fw"
MACHINE = Marked("instance", "project", "s001-web", "here/prod/net101/fw/s001")
VOLUME = Marked("volume", "project/pool", "s001-home", "here/prod/net101/fw/s001")
FACTS = {
    "students": 1,
    "archives": [{"archive": "net101-fw-s001.tar", "at": "2030-01-01", "sha256": "abc"}],
    "export": None,
    "not_deleted": ["backups in /mnt/backup"],
}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(init(tmp_path / "labs"))


def written(workspace, file):
    """A report of a run that was killed after its first list, and of one that went to the end."""
    killed = Journal.open(file, LAB)
    killed._document |= {
        "installation": "here",
        "environments": {"prod": FACTS},
        "runs": [{"at": "2030-01-01", "by": "Ada <ada@example.org>", "environment": "prod"}],
        "not_known": ["prod was marked before"],
    }
    killed.add([MACHINE])
    assert not file.exists()
    again = Journal.open(file, LAB)
    again.add([VOLUME])
    again.end(workspace)
    assert [one.name for one in file.parent.glob("proof*")] == [file.name]
    return file.read_text()


def test_data_has_what_both_runs_removed(workspace, tmp_path):
    document = json.loads(written(workspace, tmp_path / "proof.json"))
    assert document["removed"] == [
        ["instance", "project", "s001-web", MACHINE.marker],
        ["volume", "project/pool", "s001-home", VOLUME.marker],
    ]
    assert (document["counts"], document["left"]) == ({"instance": 1, "volume": 1}, [])
    assert document["commit"] == workspace.repository.head()


def test_the_page_says_what_went_and_what_did_not(workspace, tmp_path):
    text = written(workspace, tmp_path / "proof.md")
    for line in (
        "# Destruction of net101/fw",
        "* begun: 2030-01-01, prod, by Ada <ada@example.org>",
        "* removed: 2 objects: 1 instance, 1 volume",
        "* prod was marked before",
        "* prod: backups in /mnt/backup",
        "* prod net101-fw-s001.tar of 2030-01-01, sha256 abc",
        f"| volume | project/pool | s001-home | {VOLUME.marker} |",
    ):
        assert line in text.splitlines()
    assert "logins in seats.yaml" in text


def test_a_report_has_a_form_a_place_and_one_lab(tmp_path):
    with pytest.raises(UsageError, match=r"\.md or \.json, not 'proof\.pdf'"):
        Journal.open(tmp_path / "proof.pdf", LAB)
    with pytest.raises(UsageError, match="cannot be written"):
        Journal.open(tmp_path / "gone/proof.md", LAB)
    Journal.open(tmp_path / "proof.md", LAB)
    with pytest.raises(InputError, match="is the report of net101/fw"):
        Journal.open(tmp_path / "proof.md", "net101/other")
    (tmp_path / "proof.md.partial").write_text("[]")
    with pytest.raises(InputError, match="no begun report"):
        Journal.open(tmp_path / "proof.md", LAB)


def test_without_a_file_nothing_is_kept(workspace, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    journal = Journal(None)
    journal.add([MACHINE])
    journal.end(workspace)
    assert sorted(tmp_path.rglob("*")) == before
