"""How full the storage pools of an environment are: a full pool stops everyone."""

from dataclasses import dataclass

from generator.spec.platform import Platform
from generator.spec.units import shown
from practicum.errors import PracticumError
from practicum.lxd.client import Lxd
from practicum.lxd.errors import LxdNotFound
from practicum.stages.workspace import Workspace, platform_of

# From here on people are told.
NEARLY_FULL = 0.8


@dataclass(frozen=True)
class Pool:
    """The space of a pool; all sizes are bytes. Below `reserve` nothing new is made."""

    name: str
    driver: str
    total: int
    used: int
    reserve: int

    @property
    def free(self) -> int:
        """What is left."""
        return self.total - self.used

    @property
    def warning(self) -> str:
        """Say that the pool is nearly full, or that nothing new is made; empty while neither is so."""
        if (self.total and self.used >= NEARLY_FULL * self.total) or self.free < self.reserve:
            below = ": below the reserve, so nothing new is made" if self.free < self.reserve else ""
            percent = 100 * self.used // self.total if self.total else 100
            left = f"{shown(self.free)} are free of {shown(self.total)}"
            return f"the pool {self.name} is {percent} % full, {left}{below}; 'practicum disk' says what uses it"
        return ""


def pools(lxd: Lxd, platform: Platform) -> list[Pool]:
    """Return the pools that an environment's platform names and that are there, by name."""
    names = sorted({pool for pool in platform.storage.values() if not pool.startswith("/")})
    return [found for name in names if (found := find_pool(lxd, name, platform.capacity.reserve)) is not None]


def find_pool(lxd: Lxd, name: str, reserve: int) -> Pool | None:
    """Return a pool's space as LXD tells it, None when there is no such pool."""
    try:
        driver = lxd.get("storage-pools", name)["driver"]
        space = lxd.get("storage-pools", name, "resources")["space"]
    except LxdNotFound:
        return None
    return Pool(name, driver, space["total"], space["used"], reserve)


def pool_warnings(lxd: Lxd, platform: Platform) -> list[str]:
    """Return what people should know about the pools of an environment."""
    return [pool.warning for pool in pools(lxd, platform) if pool.warning]


def fullness(workspace: Workspace, environment: str) -> list[str]:
    """Return the same for an environment of a repository; nothing where LXD does not answer: others say so."""
    try:
        platform = platform_of(workspace.repository.sources("HEAD"), environment)
        return pool_warnings(workspace.lxd(platform), platform)
    except PracticumError:
        return []
