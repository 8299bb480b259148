"""Rules about Kubernetes: the cluster that a lab names is one that the platform has."""

from collections.abc import Iterator

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.platform import Platform
from generator.spec.rules.context import Context

__all__ = ["EXISTING", "cluster"]

EXISTING = "existing:"


def _clusters(platform: Platform) -> list[str]:
    return list((platform.settings.get("kubernetes") or {}).get("clusters") or {})


def cluster(context: Context) -> Iterator[Diagnostic]:
    """An existing cluster is named in every environment's platform file."""
    value = context.get("kubernetes", "cluster")
    if value is None or not value.startswith(EXISTING):
        return
    name = value.removeprefix(EXISTING).strip()
    lacking = [environment for environment, platform in context.platforms.items() if name not in _clusters(platform)]
    if lacking:
        files = " and ".join(f"environments/{environment}/platform.yaml" for environment in lacking)
        hint = "Use `cluster: lab`, or ask the operator to add it under kubernetes.clusters."
        message = f"there is no cluster '{name}' in {files}"
        yield context.document.problem("PRA048", message, ("kubernetes", "cluster"), hint=hint)
