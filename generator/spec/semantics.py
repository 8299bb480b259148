"""All rules about a lab beyond its schema, run one after the other."""

from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.rules import checks, files, internet, kubernetes, machines, names, students, times, volumes
from generator.spec.rules.context import Context, Rule

__all__ = ["check_semantics"]

_RULES: tuple[Rule, ...] = (
    names.lab_name,
    names.reserved_names,
    names.has_content,
    students.students,
    machines.types,
    machines.connections,
    machines.sizes,
    machines.network_count,
    machines.machine_count,
    machines.kept_paths,
    files.machine_files,
    files.scripts,
    files.solution,
    files.base,
    volumes.machines,
    volumes.mounts,
    volumes.collisions,
    volumes.storage,
    kubernetes.cluster,
    checks.kinds,
    checks.machines,
    checks.vantage,
    checks.kubernetes,
    checks.names,
    internet.allowed_hosts,
    times.schedule,
)


def check_semantics(context: Context) -> tuple[Diagnostic, ...]:
    """Return what every rule finds."""
    return tuple(problem for rule in _RULES for problem in rule(context))
