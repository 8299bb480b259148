"""What changes in a lab's Kubernetes part when a row of the roster changes: that student's files, and no others."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab_strategies import COURSE, LAB, LOGINS, repositories, rosters, rows_of

from generator.render.tree import lab_folder

CALM = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
FOLDER = f"{lab_folder('prod', LAB)}/kubernetes"
BASE = {
    "kustomization.yaml": "resources: [a.yaml]\n",
    "a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n",
}
OWN = {
    "kustomization.yaml": "resources: [a.yaml, b.yaml.j2]\n",
    "a.yaml": BASE["a.yaml"],
    "b.yaml.j2": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata:\n  a: {{ student.id }}\n",
}
BASES = st.sampled_from([BASE, OWN])


def with_kubernetes(repository, base):
    """Return the repository with a Kubernetes part of the lab, and all that is generated."""
    files = {f"labs/{COURSE}/k8s/{name}": text.encode() for name, text in base.items()}
    changed = replace(repository, content={**repository.content, **files})
    return changed.edited({**repository.document, "kubernetes": {"base": "k8s/"}}).generated()


def differing(before, after):
    """Return the paths of the Kubernetes part that two trees do not have alike."""
    paths = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return {path.removeprefix(f"{FOLDER}/") for path in paths if path.startswith(FOLDER)}


@CALM
@given(repositories(rosters(min_size=2)), BASES, st.data())
def test_other_personal_data_of_a_row_changes_nothing(repository, base, data):
    generated = with_kubernetes(repository, base)
    rows = [(login, f"Other {login}", "", "group-b") for login in repository.logins]
    changed = generated.with_roster(data.draw(st.permutations(rows)))
    assert differing(generated.prod(), changed.prod()) == set()


@CALM
@given(repositories(rosters(min_size=2)), BASES, st.data())
def test_who_leaves_changes_only_the_own_overlay(repository, base, data):
    generated = with_kubernetes(repository, base)
    gone = data.draw(st.integers(0, len(repository.logins) - 1))
    changed = generated.with_roster(rows_of([*repository.logins[:gone], *repository.logins[gone + 1 :]]))
    assert differing(generated.prod(), changed.prod()) == {f"students/s{gone + 1:03d}/kustomization.yaml"}


@CALM
@given(repositories(rosters()), BASES, LOGINS, st.integers(0, 5))
def test_who_comes_adds_the_own_folder_and_a_line_of_the_shard(repository, base, login, place):
    if login.casefold() in {known.casefold() for known in repository.logins}:
        return
    generated = with_kubernetes(repository, base)
    logins = [*repository.logins]
    logins.insert(place, login)
    seat = f"s{len(logins):03d}"
    before, after = generated.prod(), generated.with_roster(rows_of(logins)).prod()
    changed = {path for path in differing(before, after) if not path.startswith(f"students/{seat}/")}
    assert changed == {"shards/00/kustomization.yaml"}
    shard = f"{FOLDER}/shards/00/kustomization.yaml"
    if shard in before:
        assert after[shard].replace(f"- ../../students/{seat}\n".encode(), b"") == before[shard]


@CALM
@given(repositories(rosters()), BASES)
def test_no_login_stands_in_the_kubernetes_part(repository, base):
    tree = with_kubernetes(repository, base).prod()
    text = b"".join(data for path, data in tree.items() if path.startswith(FOLDER)).decode()
    assert [login for login in repository.logins if login in text] == []
