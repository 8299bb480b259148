"""All rules about a lab beyond its schema, run one after the other."""

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.rules import (
    checks,
    files,
    internet,
    kubernetes,
    machines,
    names,
    scripts,
    sizes,
    students,
    targets,
    times,
    volumes,
)
from generator.spec.rules.context import Context, Rule

__all__ = ["check_semantics"]

_RULES: tuple[Rule, ...] = (
    names.lab_name,
    names.reserved_names,
    names.has_content,
    students.students,
    machines.types,
    machines.connections,
    machines.kinds,
    machines.routers,
    sizes.bounds,
    sizes.machine_capacity,
    sizes.class_capacity,
    machines.network_count,
    machines.machine_count,
    machines.kept_paths,
    files.machine_files,
    targets.targets,
    targets.patterns,
    scripts.scripts,
    scripts.solution,
    files.base,
    volumes.machines,
    volumes.mounts,
    volumes.collisions,
    volumes.nested,
    volumes.storage,
    kubernetes.cluster,
    kubernetes.base,
    kubernetes.nodes,
    checks.kinds,
    checks.machines,
    checks.vantage,
    checks.kubernetes,
    checks.names,
    checks.graded,
    checks.waits,
    internet.allowed_hosts,
    times.schedule,
    times.extensions,
)


def check_semantics(context: Context) -> tuple[Diagnostic, ...]:
    """Return what every rule finds."""
    return tuple(problem for rule in _RULES for problem in rule(context))
