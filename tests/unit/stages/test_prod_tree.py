"""Prod is the spec of the checkpoint's commit, with the seats, addresses and platform of today."""

from generator.render.tree import tree_digest
from practicum.stages.generate import preview, prod_argocd, render_prod

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


CLUSTER = "version: 1\ntitle: T\nstudents: class.csv\nkubernetes: {}\n"
ARGO_CD = b"installation: k3v9t2qa\ndelivery: argocd\ngit: {remote: 'https://git.example.org/labs.git'}\n"


def test_a_promotion_brings_prods_applications_which_no_release_tag_names(workspace, deploy):
    workspace.repository.commit({"environments/prod/platform.yaml": ARGO_CD}, "Deliver by Argo CD")
    checkpoint = deploy(CLUSTER, roster("ada", "bo"))
    found = prod_argocd(workspace, LAB, checkpoint, workspace.repository.sources("HEAD"))
    assert set(found) == {
        *("argocd/apps/prod/net101-firewalls-00.yaml", "argocd/apps/prod/net101-firewalls-prof.yaml"),
        *("argocd/projects/prod-net101.yaml", "argocd/root-prod.yaml"),
    }
    tree = prod(workspace, checkpoint)
    assert not set(tree) & set(found)
    assert "environments/prod/net101/firewalls/kubernetes/students/s002/kustomization.yaml" in tree
    workspace.repository.commit(found, "Promote")
    assert prod_argocd(workspace, LAB, checkpoint, workspace.repository.sources("HEAD")) == {}


def test_a_preview_shows_what_argo_cd_would_get(workspace, deploy, tmp_path):
    workspace.repository.commit({"environments/prod/platform.yaml": ARGO_CD}, "Deliver by Argo CD")
    deploy(CLUSTER, roster("ada"))
    written = preview(workspace, workspace.repository.sources(None), [LAB], tmp_path / "preview")
    assert tmp_path / "preview/argocd/root-prod.yaml" in written


def test_the_whole_kubernetes_part_counts_for_a_release(workspace, deploy):
    tree = prod(workspace, deploy(CLUSTER, roster("ada")))
    path = "environments/prod/net101/firewalls/kubernetes/base/walls.yaml"
    weaker = tree[path].replace(b"restricted", b"privileged")
    assert tree_digest({**tree, path: weaker}) != tree_digest(tree)
