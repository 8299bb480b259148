"""What a base offers to the outside: nothing that takes ports or addresses of nodes."""

from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic
from generator.kubernetes_base.manifest import Manifest

__all__ = ["hosts", "services"]

_OUTSIDE = ("NodePort", "LoadBalancer")


def services(manifest: Manifest) -> Iterator[Diagnostic]:
    """A Service is reached inside the copy."""
    if (manifest.group, manifest.kind) != ("", "Service"):
        return
    kind = manifest.node.find("spec", "type")
    if kind is not None and kind.value in _OUTSIDE:
        yield kind.problem(
            "PRA121", f"{manifest.title} of type {kind.value} takes ports or addresses that all copies share"
        )
    for key in ("externalIPs", "loadBalancerIP"):
        node = manifest.node.find("spec", key)
        if node is not None:
            yield node.problem("PRA121", f"{manifest.title} takes an address of the network ({key})", on_key=True)
    for port in manifest.node.items("spec", "ports"):
        node = port.find("nodePort")
        if node is not None and (kind is None or kind.value not in _OUTSIDE):
            yield node.problem("PRA121", f"{manifest.title} takes the port {node.value} of all nodes", on_key=True)


def hosts(manifest: Manifest) -> Iterator[Diagnostic]:
    """An Ingress of every copy with one host name gives one copy to all students."""
    if (manifest.group, manifest.kind) != ("networking.k8s.io", "Ingress"):
        return
    for rule in manifest.node.items("spec", "rules") or (manifest.node,):
        host = rule.find("host")
        if host is None:
            message = f"{manifest.title} answers for every host name, in every copy"
            yield (rule.find("http") or manifest.node.fields()["kind"]).problem(
                "PRA122", message, on_key=True, severity="warning"
            )
        elif not host.place.file.endswith(".j2"):
            message = f"{manifest.title} has the host name '{host.value}' in every copy"
            yield host.problem("PRA122", message, severity="warning")
