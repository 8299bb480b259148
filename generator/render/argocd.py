"""What Argo CD is told: an Application a shard, a project an environment and course, and a root an environment.

Field names: https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml and project.yaml. Nothing here
syncs by itself: `deliver` starts each sync at an exact commit, so what somebody does by hand stays until then.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from generator.render.definitions import Target
from generator.render.kubernetes.overlays import members
from generator.render.kubernetes.professor import professor_base
from generator.render.kubernetes.walls import LABEL, walls
from generator.render.yaml_text import dump, header
from generator.seats.names import PROFESSOR
from generator.spec.model import Kubernetes
from generator.spec.platform import Platform
from generator.spec.sources import Sources

__all__ = ["argocd_changes"]

Document = dict[str, Any]
_API = "argoproj.io/v1alpha1"
_KINDS = "practicum/kinds"
_SPACES = "practicum/namespaces"
_NAMESPACE = {"group": "", "kind": "Namespace"}
_IN_CLUSTER = "https://kubernetes.default.svc"
_SYNC = ["ApplyOutOfSyncOnly=true", "FailOnSharedResource=true", "RespectIgnoreDifferences=true"]
# What Kubernetes itself writes into objects, such as the number of pods that an autoscaler wants, is no difference.
_OTHERS = [{"group": "*", "kind": "*", "managedFieldsManagers": ["kube-controller-manager"]}]
_HISTORY = 3


def argocd_changes(
    platform: Platform, labs: Sequence[tuple[Target, Sequence[str]]], sources: Sources
) -> dict[str, bytes | None]:
    """Return what has to change below `argocd` for labs of one environment, each with its seats; None: a file goes.

    The project of a course speaks for all its labs; those of others are read from their committed Applications.
    """
    environment = platform.environment
    apps = {path: found for target, seats in labs for path, found in _applications(target, seats)}
    committed = dict(_committed(sources, environment))
    own = {target.lab.key for target, _seats in labs}
    obsolete = [path for path, document in committed.items() if _lab(document) in own and path not in apps]
    known = {path: document for path, document in {**committed, **apps}.items() if path not in obsolete}
    changes: dict[str, bytes | None] = {
        path: _text(document, source=f"labs/{_lab(document)}.lab.yaml") for path, document in apps.items()
    }
    changes |= dict.fromkeys(obsolete)
    url = platform.repository_url
    for course in sorted({target.lab.course for target, _seats in labs} if url and (apps or obsolete) else ()):
        of_course = [document for document in known.values() if _label(document, "course") == course]
        project = _text(_course_project(platform, course, url or "", of_course)) if of_course else None
        changes[f"argocd/projects/{environment}-{course}.yaml"] = project
    if url and known and changes:
        changes[f"argocd/root-{environment}.yaml"] = _text(*_root(platform, url))
    return changes


def _applications(target: Target, seats: Sequence[str]) -> Iterator[tuple[str, Document]]:
    """Yield a lab's Applications by path; none where Argo CD does not deliver it."""
    kubernetes, url, lab = target.lab.kubernetes, target.platform.repository_url, target.lab
    if kubernetes is None or url is None or target.platform.delivery != "argocd":
        return
    kinds = ",".join(_kinds(target, kubernetes))
    # A course with a hyphen could be read in two ways: c-a/b and c/a-b.
    joint = "." if "-" in lab.course else "-"
    for name in members(seats, alone=kubernetes.cluster == "seat"):
        path = f"argocd/apps/{target.platform.environment}/{lab.course}{joint}{lab.name}-{name}.yaml"
        yield path, _application(target, kubernetes, url, name, kinds)


def _text(*documents: Document, source: str = "the specs in labs/") -> bytes:
    return (header(source, "practicum generate") + "---\n".join(map(dump, documents))).encode()


def _application(target: Target, kubernetes: Kubernetes, url: str, shard: str, kinds: str) -> Document:
    lab, platform, scope = target.lab, target.platform, target.scope
    folder = f"environments/{platform.environment}/{lab.key}/kubernetes"
    labels = {LABEL: scope.project, "practicum/environment": platform.environment}
    return {
        "apiVersion": _API,
        "kind": "Application",
        "metadata": {
            "name": f"{scope.project}-{shard}",
            "namespace": platform.argocd_namespace,
            "labels": {**labels, "practicum/course": lab.course, "practicum/lab": lab.name, "practicum/shard": shard},
            "annotations": {
                "argocd.argoproj.io/manifest-generate-paths": f"/{folder}",
                # The root never takes an Application away: `destroy` does, in its order.
                "argocd.argoproj.io/sync-options": "Prune=false",
                _KINDS: kinds,
                _SPACES: f"{scope.project}-*",
            },
        },
        "spec": {
            "project": _project_name(platform, lab.course),
            "source": {"repoURL": url, "path": f"{folder}/shards/{shard}", "targetRevision": _revision(target)},
            "destination": {"name": _cluster(target, kubernetes, shard), "namespace": f"{scope.project}-{PROFESSOR}"},
            "ignoreDifferences": _OTHERS,
            "syncPolicy": {"syncOptions": _SYNC},
            "revisionHistoryLimit": _HISTORY,
        },
    }


def _revision(target: Target) -> str:
    """Return the branch: prod's is moved by `deliver` alone, so that no other commit disturbs a sync or its wait."""
    return "refs/heads/main" if target.platform.environment == "dev" else f"refs/heads/deployed/prod/{target.lab.key}"


def _cluster(target: Target, kubernetes: Kubernetes, shard: str) -> str:
    """Return the name under which Argo CD knows the cluster."""
    if kubernetes.existing is not None:
        return kubernetes.existing
    return target.scope.namespace(shard) if kubernetes.cluster == "seat" else target.scope.project


def _kinds(target: Target, kubernetes: Kubernetes) -> list[str]:
    """Return GROUP/KIND of everything that a seat of the lab has in its namespace; the core group is empty."""
    base = professor_base(target, PROFESSOR)
    objects = base.objects if base else ()
    made = walls(target, kubernetes, objects)
    own = {(document["apiVersion"].rpartition("/")[0], document["kind"]) for document in made}
    brought = {(manifest.group, manifest.kind) for manifest in objects}
    return sorted("/".join(kind) for kind in (own | brought) - {("", "Namespace")})


def _course_project(platform: Platform, course: str, url: str, apps: Sequence[Document]) -> Document:
    """Return what Applications of a course may do: one place a lab, its namespaces and kinds, and nothing else."""
    places = {(app["spec"]["destination"]["name"], app["metadata"]["annotations"][_SPACES]) for app in apps}
    spaces = sorted({space for _name, space in places})
    kinds = sorted({kind for app in apps for kind in app["metadata"]["annotations"][_KINDS].split(",")})
    pairs = [kind.partition("/")[::2] for kind in kinds]
    return _project(
        platform,
        _project_name(platform, course),
        url,
        description=f"Labs of {course} in {platform.environment}",
        destinations=[{"name": name, "namespace": space} for name, space in sorted(places)],
        clusterResourceWhitelist=[{**_NAMESPACE, "name": space} for space in spaces],
        namespaceResourceWhitelist=[{"group": group, "kind": kind} for group, kind in pairs],
    )


def _root(platform: Platform, url: str) -> tuple[Document, Document]:
    """Return the project of the root, which may make Applications and nothing else, and the root itself."""
    name, space = f"practicum-{platform.environment}", platform.argocd_namespace
    place = {"server": _IN_CLUSTER, "namespace": space}
    project = _project(
        platform,
        name,
        url,
        description=f"The Applications of {platform.environment}",
        destinations=[place],
        clusterResourceWhitelist=[],
        namespaceResourceWhitelist=[{"group": "argoproj.io", "kind": "Application"}],
    )
    path = f"argocd/apps/{platform.environment}"
    spec = {
        "project": name,
        "source": {"repoURL": url, "path": path, "targetRevision": "refs/heads/main", "directory": {"recurse": False}},
        "destination": place,
        "syncPolicy": {"syncOptions": ["ApplyOutOfSyncOnly=true", "FailOnSharedResource=true"]},
        "revisionHistoryLimit": _HISTORY,
    }
    watched = {"argocd.argoproj.io/manifest-generate-paths": f"/{path}"}
    metadata = {"name": name, "namespace": space, "annotations": watched}
    return project, {"apiVersion": _API, "kind": "Application", "metadata": metadata, "spec": spec}


def _project(platform: Platform, name: str, url: str, **spec: Any) -> Document:
    metadata = {"name": name, "namespace": platform.argocd_namespace}
    return {"apiVersion": _API, "kind": "AppProject", "metadata": metadata, "spec": {**spec, "sourceRepos": [url]}}


def _project_name(platform: Platform, course: str) -> str:
    return f"{platform.environment}-{course}"


def _committed(sources: Sources, environment: str) -> Iterator[tuple[str, Document]]:
    """Yield the Applications that stand in the repository. What cannot be one speaks for no lab."""
    for path in sources.files(f"argocd/apps/{environment}"):
        try:
            document = yaml.load(sources.read(path), Loader=yaml.CSafeLoader)  # a SafeLoader
            annotations = document["metadata"]["annotations"]
            texts = document["spec"]["destination"]["name"], annotations[_KINDS], annotations[_SPACES], _lab(document)
        except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError):
            continue
        if all(isinstance(text, str) for text in texts):
            yield path, document


def _label(document: Mapping[str, Any], name: str) -> str:
    return str(document["metadata"].get("labels", {}).get(f"practicum/{name}", ""))


def _lab(document: Mapping[str, Any]) -> str:
    return f"{_label(document, 'course')}/{_label(document, 'lab')}"
