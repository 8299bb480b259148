"""A typed facade over the `kubernetes` client: raw API paths, passing failures tried again, errors translated.

Only this module imports `kubernetes`, and only when a lab has a cluster: it is large. Its models are not used: what is
applied comes from Kustomize as it is, and server-side apply needs the document, not a model that drops what it does
not know.
"""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from urllib3.exceptions import HTTPError

from practicum.errors import TryAgainError, UnavailableError
from practicum.kubernetes.errors import ClusterNotFound, error_of
from practicum.kubernetes.objects import Ref

__all__ = ["MANAGER", "Cluster"]

Document = dict[str, Any]
MANAGER = "practicum"
# The server remembers which field of an object is whose by this name.
_CONNECT_SECONDS, _ANSWER_SECONDS = 10, 60
_TRIES, _PAUSE_SECONDS = 5, 0.2
_PAGE = 500
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_APPLY, _MERGE, _JSON_PATCH = (
    f"application/{name}" for name in ("apply-patch+yaml", "merge-patch+json", "json-patch+json")
)


class Cluster:
    """One API server. Safe to share between threads."""

    def __init__(self, name: str, kubeconfig: Path | Document) -> None:
        """`kubeconfig` is a file, or what would stand in it."""
        self.name = name
        self._api, self._failure = _api_client(name, kubeconfig)
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}

    @property
    def address(self) -> str:
        """The URL of the API server."""
        return str(self._api.configuration.host)

    def get(self, path: str, **query: str | int) -> Document:
        """Return what stands at a path. Raises ClusterNotFound."""
        return self._json("GET", path, query)

    def find(self, ref: Ref) -> Document | None:
        """Return an object, None when it does not exist."""
        try:
            return self.get(self.path_of(ref))
        except ClusterNotFound:
            return None

    def listed(self, api_version: str, kind: str, *, label: str = "", namespace: str = "") -> list[Document]:
        """Return all objects of a kind with a label `KEY=VALUE`; none when the server does not know the kind."""
        return list(self._pages(api_version, kind, label, namespace, "application/json"))

    def list_metadata(self, api_version: str, kind: str, *, label: str) -> list[Document]:
        """Return the metadata of all objects of a kind with a label: much less than the objects."""
        return list(self._pages(api_version, kind, label, "", _METADATA_ONLY))

    def apply(self, document: Mapping[str, Any], *, force: bool = False, dry_run: bool = False) -> Document:
        """Apply an object server-side; the server computes what changes, and remembers that these fields are ours.

        Raises ClusterConflict when somebody else has set a field to another value, unless `force`.
        """
        query = {"fieldManager": MANAGER, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})}
        path = self.path_of(Ref.of(document))
        return self._json("PATCH", path, query, body=document, content_type=_APPLY)

    def merge(self, ref: Ref, body: Mapping[str, Any]) -> Document:
        """Change an object by a JSON merge patch (RFC 7386)."""
        return self._json("PATCH", self.path_of(ref), {"fieldManager": MANAGER}, body=body, content_type=_MERGE)

    def patch(self, ref: Ref, operations: list[Document]) -> Document:
        """Change an object by a JSON patch (RFC 6902), never sent twice. Raises ClusterRefused when a test fails."""
        query = {"fieldManager": MANAGER}
        return self._json("PATCH", self.path_of(ref), query, body=operations, content_type=_JSON_PATCH, tries=1)

    def delete(self, ref: Ref) -> None:
        """Delete an object with what it owns; what is gone counts as deleted."""
        try:
            self._json("DELETE", self.path_of(ref), {"propagationPolicy": "Background"})
        except ClusterNotFound:
            return

    def serves(self, api_version: str, kind: str) -> bool:
        """Say whether the server knows a kind."""
        return kind in self._kinds_of(api_version)

    def path_of(self, ref: Ref) -> str:
        """Return where an object stands. Raises ClusterNotFound when the server does not know its kind."""
        return f"{self._collection(ref.api_version, ref.kind, ref.namespace)}/{quote(ref.name)}"

    def _collection(self, api_version: str, kind: str, namespace: str) -> str:
        found = self._kinds_of(api_version).get(kind)
        if found is None:
            # The server may have learned the kind since.
            self._kinds.pop(api_version, None)
            message = f"cluster '{self.name}' does not know the kind {kind} of {api_version}"
            raise ClusterNotFound(message, details="")
        plural, namespaced = found
        place = f"namespaces/{namespace}/" if namespaced and namespace else ""
        return f"{_group_path(api_version)}/{place}{plural}"

    def _kinds_of(self, api_version: str) -> dict[str, tuple[str, bool]]:
        """Return plural and scope of each kind of a group and version, as the server tells them."""
        if api_version not in self._kinds:
            try:
                listed = self.get(_group_path(api_version))["resources"]
            except ClusterNotFound:
                return {}
            found = {one["kind"]: (one["name"], one["namespaced"]) for one in listed if "/" not in one["name"]}
            self._kinds[api_version] = found
        return self._kinds[api_version]

    def _pages(self, api_version: str, kind: str, label: str, namespace: str, accept: str) -> Iterator[Document]:
        if not self.serves(api_version, kind):
            return
        path = self._collection(api_version, kind, namespace)
        query: dict[str, str | int] = {"limit": _PAGE, **({"labelSelector": label} if label else {})}
        while True:
            answer = self._json("GET", path, query, accept=accept)
            # Lists leave out what is the same for all their items; an empty one may be null.
            yield from ({**item, "apiVersion": api_version, "kind": kind} for item in answer["items"] or ())
            following = answer["metadata"].get("continue")
            if not following:
                return
            query["continue"] = following

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        *,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        tries: int = _TRIES,
    ) -> Document:
        """Send a request that may be repeated, and return the answer; passing failures are tried again."""
        url = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": accept, "Content-Type": content_type}
        for left in reversed(range(tries)):
            try:
                return self._send(method, url, headers, body)
            except TryAgainError:
                if not left:
                    raise
            time.sleep(_PAUSE_SECONDS * 2 ** (tries - 1 - left))
        raise AssertionError("at least one try is made")

    def _send(self, method: str, url: str, headers: dict[str, str], body: Any) -> Document:
        own = dict(headers)
        self._api.update_params_for_auth(own, [], ["BearerToken"], url, method, body)
        try:
            timeout = (_CONNECT_SECONDS, _ANSWER_SECONDS)
            address = f"{self.address.rstrip('/')}{url}"
            answer = self._api.rest_client.request(method, address, headers=own, body=body, _request_timeout=timeout)
            data = answer.read() or b""
        except (HTTPError, self._failure, OSError) as error:
            raise _no_answer(self.name, self.address, error) from error
        if not 200 <= answer.status <= 299:
            raise error_of(self.name, f"{method} {url.partition('?')[0]}", answer.status, data)
        content: Document = json.loads(data) if data else {}
        return content


def _group_path(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _api_client(name: str, kubeconfig: Path | Document) -> tuple[Any, type[Exception]]:
    """Return a client that signs in as a kubeconfig says, and what it raises when TLS fails."""
    try:
        from kubernetes import config
        from kubernetes.client import ApiException
    except ImportError as error:
        resolution = "pip install 'practicum[kubernetes]'"
        raise UnavailableError("Python's client for Kubernetes is missing", resolution=resolution) from error
    try:
        if isinstance(kubeconfig, Path):
            return config.new_client_from_config(config_file=str(kubeconfig)), ApiException
        return config.new_client_from_config_dict(kubeconfig), ApiException
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError) as error:
        place = kubeconfig if isinstance(kubeconfig, Path) else "that of the lab's own server"
        raise UnavailableError(
            f"the kubeconfig of cluster '{name}' cannot be used: {place}",
            details=str(error),
            resolution="name a readable kubeconfig under kubernetes.clusters in platform.yaml; try it: "
            f"kubectl --kubeconfig {place} get namespaces",
        ) from error


def _no_answer(name: str, address: str, error: Exception) -> TryAgainError:
    return TryAgainError(
        f"cluster '{name}' does not answer at {address}",
        details=str(error),
        resolution="look whether the cluster runs and this host may reach it; then run the same command again",
    )
