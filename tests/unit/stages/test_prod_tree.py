"""Prod is the spec of the checkpoint's commit, with the seats, addresses and platform of today."""

from generator.render.tree import tree_digest
from practicum.stages.generate import preview, render_prod

LAB = "net101/firewalls"
SPEC = "version: 1\ntitle: T\nstudents: class.csv\nmachines:\n  web: {type: debian, run: [a.sh]}\n"
FOLDER = "environments/prod/net101/firewalls/lxd"


def roster(*logins):
    return {"class.csv": ("login\n" + "\n".join(logins) + "\n").encode(), "a.sh": b"old\n"}


def seats(tree):
    names = (path.removeprefix(f"{FOLDER}/").removesuffix(".yaml") for path in tree if path.endswith(".yaml"))
    return sorted(name for name in names if name not in ("shared", "prof"))


def prod(workspace, commit):
    return render_prod(workspace, LAB, commit, workspace.repository.sources("HEAD"))


def test_students_who_joined_after_the_checkpoint_are_in(workspace, deploy):
    checkpoint = deploy(SPEC, roster("ada"))
    deploy(SPEC, roster("ada", "bo"))
    assert seats(prod(workspace, checkpoint)) == ["s001", "s002"]


def test_edits_of_the_spec_after_the_checkpoint_are_not(workspace, deploy):
    checkpoint = deploy(SPEC, roster("ada"))
    before = prod(workspace, checkpoint)
    deploy(SPEC.replace("title: T", "title: New").replace("web:", "box:"), {**roster("ada"), "a.sh": b"new\n"})
    after = prod(workspace, checkpoint)
    assert after == before
    assert tree_digest(after) == tree_digest(before)
    assert b"new" not in b"".join(after.values())


def test_the_platform_of_today_counts(workspace, deploy):
    checkpoint = deploy(SPEC, roster("ada"))
    platform = b"installation: k3v9t2qa\nprofessor_internet: full\nstorage: {local: nvme}\n"
    workspace.repository.commit({"environments/prod/platform.yaml": platform}, "Edit")
    assert b"pool: nvme" in prod(workspace, checkpoint)[f"{FOLDER}/s001.yaml"]


def test_a_lab_that_outgrew_its_block_keeps_the_old_seats(workspace, deploy):
    people = [f"p{number}" for number in range(61)]
    checkpoint = deploy(SPEC, roster(*people[:1]))
    before = prod(workspace, checkpoint)
    deploy(SPEC, roster(*people))
    after = prod(workspace, checkpoint)
    assert len(seats(after)) == 61
    assert after[f"{FOLDER}/s001.yaml"] == before[f"{FOLDER}/s001.yaml"]


def test_a_preview_is_what_prod_would_be(workspace, deploy, tmp_path):
    commit = deploy(SPEC, roster("ada", "bo"))
    written = preview(workspace, workspace.repository.sources(None), [LAB], tmp_path / "preview")
    tree = {path.relative_to(tmp_path / "preview").as_posix(): path.read_bytes() for path in written}
    assert tree == prod(workspace, commit)
