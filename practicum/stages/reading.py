"""Sources that remember what was read from them: so it is known which files a lab is made of."""

from dataclasses import dataclass, field

from generator.spec.sources import Sources, Status


@dataclass
class ReadingSources:
    """Sources with a memory: `seen` are the paths of all files that were read."""

    inner: Sources
    seen: set[str] = field(default_factory=set)

    def status(self, path: str) -> Status:
        return self.inner.status(path)

    def read(self, path: str) -> bytes:
        self.seen.add(path)
        return self.inner.read(path)

    def files(self, folder: str) -> list[str]:
        return self.inner.files(folder)
