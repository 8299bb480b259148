"""What every rule may look at: the document, the files around it, the catalogue and the platforms."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.catalogue.model import MachineType
from generator.diagnostics.diagnostic import Diagnostic
from generator.spec.document import Document, Path
from generator.spec.platform import Platform
from generator.spec.sources import Sources
from generator.spec.words import did_you_mean, nearest_choice

__all__ = ["Context", "Rule"]


@dataclass(frozen=True)
class Context:
    """One lab under check. `data` has None in place of values whose problem is told already."""

    document: Document
    data: Mapping[str, Any]
    excused: frozenset[Path]
    sources: Sources
    catalogue: Mapping[str, MachineType]
    platforms: Mapping[str, Platform]

    @property
    def folder(self) -> str:
        """The folder of the spec, such as `labs/net101`."""
        return self.document.file.rpartition("/")[0]

    def group(self, *path: str | int) -> Mapping[str, Any]:
        """Return the group of keys at `path`; empty when it is absent or bad."""
        value = self.get(*path)
        return value if isinstance(value, dict) else {}

    def items(self, *path: str | int) -> list[tuple[int, Any]]:
        """Return the good entries of the list at `path`, with their numbers."""
        value = self.get(*path)
        entries = value if isinstance(value, list) else []
        return [(index, item) for index, item in enumerate(entries) if item is not None]

    def get(self, *path: str | int) -> Any:
        """Return the value at `path`; None when it is absent or bad."""
        value: Any = self.data
        for step in path:
            found = isinstance(value, dict) and step in value
            found = found or (isinstance(value, list) and isinstance(step, int) and step < len(value))
            value = value[step] if found else None
        return value

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of the networks in order; `lan` when the spec names none."""
        return tuple(self.group("networks")) or ("lan",)

    def connections(self, machine: str) -> tuple[str, ...]:
        """Return the networks that a machine is on."""
        connected = tuple(name for _index, name in self.items("machines", machine, "connect"))
        return connected or self.networks[:1]

    def unknown(
        self, code: str, kind: str, name: str, known: Iterable[str], path: Path, *, on_key: bool = False
    ) -> Iterator[Diagnostic]:
        """Tell that `name` is not among `known`; nothing when it is."""
        names = list(known)
        if name not in names:
            message = f"unknown {kind} '{name}'{did_you_mean(nearest_choice(name, names))}"
            yield self.document.problem(code, message, path, on_key=on_key)

    def unknown_machine(self, name: Any, path: Path, *, on_key: bool = False) -> Iterator[Diagnostic]:
        """Tell that no machine has that name, unless the list of machines is itself in question."""
        if isinstance(name, str) and self.machines_known:
            yield from self.unknown("PRA033", "machine", name, self.group("machines"), path, on_key=on_key)

    @property
    def machines_known(self) -> bool:
        """False when the machines could not be read, so that names cannot be judged."""
        absent = "machines" not in self.data
        return not (("machines",) in self.excused or (self.get("machines") is None and not absent))


Rule = Callable[[Context], Iterator[Diagnostic]]
