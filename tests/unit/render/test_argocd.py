"""What Argo CD is told: as little as it needs, nothing that syncs by itself, one project for all labs of a course."""

from datetime import date

import pytest
import yaml

from generator.catalogue.load import load_catalogue
from generator.generate import find_labs, generate, read_edition, render_argocd
from generator.render.needs import needs
from generator.spec.sources import MappingSources

PLATFORM = "installation: k3v9t2qa\ndelivery: argocd\ngit: {remote: git@gitlab.example.org:teaching/labs.git}\n"
SPEC = "version: 1\ntitle: T\nstudents: 2\nkubernetes: {}\n"
# The keys that Argo CD 3.6 knows, as far as ours may be among them: the objects hold no others.
APPLICATION = {
    "metadata": {"name", "namespace", "labels", "annotations"},
    "spec": {"project", "source", "destination", "ignoreDifferences", "syncPolicy", "revisionHistoryLimit"},
    "source": {"repoURL", "path", "targetRevision", "directory"},
    "destination": {"name", "server", "namespace"},
    "syncPolicy": {"syncOptions"},
}
PROJECT = {
    *("description", "destinations", "clusterResourceWhitelist", "namespaceResourceWhitelist", "sourceRepos"),
}


def repository(labs, platform=PLATFORM):
    """Return the files of a repository with these specs by COURSE/LAB."""
    files = {f"labs/{lab}.lab.yaml": text.encode() for lab, text in labs.items()}
    return files | {f"environments/{name}/platform.yaml": platform.encode() for name in ("dev", "prod")}


def written(files, labs=(), environment="prod"):
    """Return what is to change below argocd for some labs, or all, as documents by path."""
    changes = render_argocd(*arguments(files, labs, environment))
    return {path: None if data is None else list(yaml.safe_load_all(data)) for path, data in changes.items()}


def arguments(files, labs, environment):
    sources = MappingSources(files)
    edition = read_edition(sources, load_catalogue(), labs or find_labs(sources), date(2026, 9, 1))
    assert not edition.failed
    return edition, environment, sources


def after(files, labs=(), environment="prod"):
    """Return the files with these changes made."""
    changed = {**files, **render_argocd(*arguments(files, labs, environment))}
    return {path: data for path, data in changed.items() if data is not None}


def applications(found):
    return [documents[0] for path, documents in found.items() if path.startswith("argocd/apps/") and documents]


def test_an_application_says_what_argo_cd_knows_and_nothing_syncs_by_itself():
    for environment in ("dev", "prod"):
        found = written(repository({"c/a": SPEC}), environment=environment)
        for document in [*applications(found), found[f"argocd/root-{environment}.yaml"][1]]:
            assert document.keys() == {"apiVersion", "kind", "metadata", "spec"}
            assert document["metadata"].keys() <= APPLICATION["metadata"]
            assert document["spec"].keys() <= APPLICATION["spec"]
            for key in ("source", "destination", "syncPolicy"):
                assert document["spec"][key].keys() <= APPLICATION[key]
            assert "finalizers" not in document["metadata"]


def test_an_application_is_careful():
    (app,) = [
        app for app in applications(written(repository({"c/a": SPEC}))) if app["metadata"]["name"].endswith("-00")
    ]
    options = app["spec"]["syncPolicy"]["syncOptions"]
    assert set(options) == {"ApplyOutOfSyncOnly=true", "FailOnSharedResource=true", "RespectIgnoreDifferences=true"}
    assert app["spec"]["source"]["path"] == "environments/prod/c/a/kubernetes/shards/00"
    assert app["spec"]["source"]["targetRevision"] == "refs/heads/deployed/prod/c/a"
    annotations = app["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/manifest-generate-paths"] == "/environments/prod/c/a/kubernetes"
    assert annotations["argocd.argoproj.io/sync-options"] == "Prune=false"
    assert app["spec"]["revisionHistoryLimit"] == 3


def test_dev_follows_main():
    apps = applications(written(repository({"c/a": SPEC}), environment="dev"))
    assert {app["spec"]["source"]["targetRevision"] for app in apps} == {"refs/heads/main"}
    assert {app["metadata"]["labels"]["practicum/shard"] for app in apps} == {"prof", "pilot"}


def test_a_project_names_one_repository_and_for_each_lab_one_place_and_its_namespaces():
    files = repository({"c/a": SPEC, "c/b": SPEC, "other/a": SPEC})
    (project,) = written(files)["argocd/projects/prod-c.yaml"]
    spec = project["spec"]
    assert spec.keys() == PROJECT
    assert spec["sourceRepos"] == ["git@gitlab.example.org:teaching/labs.git"]
    places = [(place["name"], place["namespace"]) for place in spec["destinations"]]
    assert len(places) == 2
    assert all(spaces == f"{name}-*" for name, spaces in places)
    named = [(entry["kind"], entry["name"]) for entry in spec["clusterResourceWhitelist"]]
    assert named == [("Namespace", spaces) for _name, spaces in places]
    assert "*" not in [value for entry in spec["namespaceResourceWhitelist"] for value in entry.values()]
    assert {"group": "", "kind": "Secret"} not in spec["namespaceResourceWhitelist"]


def test_every_application_is_permitted_by_its_project_and_no_two_have_one_name():
    labs = {"c/a": SPEC, "c/b": SPEC.replace("{}", "{cluster: seat}"), "c-a/b": SPEC, "c/a-b": SPEC}
    found = written(repository(labs))
    projects = {documents[0]["metadata"]["name"]: documents[0]["spec"] for documents in found.values()}
    names = [app["metadata"]["name"] for app in applications(found)]
    assert len(set(names)) == len(names) == 9
    for app in applications(found):
        place = app["spec"]["destination"]
        permitted = projects[app["spec"]["project"]]["destinations"]
        assert [
            one
            for one in permitted
            if one["name"] == place["name"] and place["namespace"].startswith(one["namespace"].rstrip("*"))
        ]


def test_generating_one_lab_keeps_what_the_project_says_of_the_others():
    labs = {"c/a": SPEC, "c/b": SPEC}
    one_by_one = after(after(repository(labs), ["c/a"]), ["c/b"])
    assert one_by_one == after(repository(labs))
    assert written(one_by_one) == {}


def test_a_lab_that_argo_cd_no_longer_delivers_leaves_only_its_own_files():
    files = after(repository({"c/a": SPEC, "c/b": SPEC}))
    files["labs/c/a.lab.yaml"] = b"version: 1\ntitle: T\nstudents: 2\nmachines: {web: {type: debian}}\n"
    changes = written(files)
    assert {path for path, documents in changes.items() if documents is None} == {
        "argocd/apps/prod/c-a-00.yaml",
        "argocd/apps/prod/c-a-prof.yaml",
    }
    assert len(changes["argocd/projects/prod-c.yaml"][0]["spec"]["destinations"]) == 1


def test_the_last_lab_of_a_course_takes_the_project_along():
    files = after(repository({"c/a": SPEC}))
    files |= {
        f"environments/{name}/platform.yaml": PLATFORM.replace("argocd", "apply").encode() for name in ("dev", "prod")
    }
    assert written(files)["argocd/projects/prod-c.yaml"] is None


def test_another_student_changes_no_application_until_a_shard_is_full():
    files = after(repository({"c/a": SPEC.replace("2", "50")}))
    assert written({**files, "labs/c/a.lab.yaml": SPEC.replace("2", "50").encode()}) == {}
    assert set(written({**files, "labs/c/a.lab.yaml": SPEC.replace("2", "51").encode()})) == {
        "argocd/apps/prod/c-a-01.yaml"
    }


def test_the_root_may_make_applications_and_nothing_else():
    project, root = written(repository({"c/a": SPEC}))["argocd/root-prod.yaml"]
    assert project["spec"]["namespaceResourceWhitelist"] == [{"group": "argoproj.io", "kind": "Application"}]
    assert project["spec"]["clusterResourceWhitelist"] == []
    assert project["spec"]["destinations"] == [{"server": "https://kubernetes.default.svc", "namespace": "argocd"}]
    assert root["spec"]["project"] == project["metadata"]["name"] == "practicum-prod"
    assert root["spec"]["source"]["path"] == "argocd/apps/prod"


@pytest.mark.parametrize(
    "platform",
    [
        "installation: k3v9t2qa\n",
        PLATFORM.replace("delivery: argocd", "delivery: apply"),
        "delivery: argocd\n",
        "delivery: argocd\ngit: {remote: /srv/git/labs.git}\n",
    ],
)
def test_without_argo_cd_or_an_address_that_it_can_read_there_is_nothing(platform):
    files = repository({"c/a": SPEC}, platform)
    assert written(files) == {}
    edition = arguments(files, (), "prod")[0]
    named = [need.key.partition(": ")[2] for need in needs(edition.labs[0].lab, edition.platforms["prod"])]
    assert ("git.remote" in named) == ("argocd" in platform)


@pytest.mark.parametrize("project", ["https://gitlab.example.org/t/labs", "https://gitlab.example.org/t/labs.git/"])
def test_a_project_of_gitlab_is_an_address_too(project):
    found = written(repository({"c/a": SPEC}, f"delivery: argocd\ngit: {{project: {project}}}\n"))
    assert {app["spec"]["source"]["repoURL"] for app in applications(found)} == {
        "https://gitlab.example.org/t/labs.git"
    }


@pytest.mark.parametrize(
    "text", ["", "[", "a: b", "metadata: {annotations: 5}", "metadata: {labels: x, annotations: {}}"]
)
def test_what_is_no_application_speaks_for_no_lab(text):
    files = {**repository({"c/a": SPEC}), "argocd/apps/prod/c-z-00.yaml": text.encode()}
    assert len(written(files)["argocd/projects/prod-c.yaml"][0]["spec"]["destinations"]) == 1


def test_generate_writes_devs_files():
    sources = MappingSources(repository({"c/a": SPEC}))
    edition = read_edition(sources, load_catalogue(), ["c/a"], date(2026, 9, 1))
    paths = {path for path in generate(edition) if path.startswith("argocd/")}
    assert paths == {
        *("argocd/apps/dev/c-a-prof.yaml", "argocd/apps/dev/c-a-pilot.yaml"),
        *("argocd/projects/dev-c.yaml", "argocd/root-dev.yaml"),
    }
