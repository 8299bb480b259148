"""An LXD on another host: what its API tells of it. What only that host knows, its own doctor says."""

from collections.abc import Iterator

from generator.spec.platform import Platform
from practicum.lxd.client import Lxd
from practicum.lxd.cluster import members
from practicum.lxd.endpoints import Endpoint
from practicum.stages.host import GIB, Question, lxd_facts
from practicum.stages.preconditions.model import HostCheck, advise, judge, note


def remote(endpoint: Endpoint, platform: Platform, patience: float) -> Iterator[HostCheck]:
    """Whether an environment's LXD answers, trusts us, is recent, and has the pool and room in it."""
    place, pool = f"LXD {platform.environment}", platform.storage["local"]
    lxd = Lxd(endpoint)
    facts, error = Question(lambda: lxd_facts(lxd, pool)).answer(patience)
    why = f"{endpoint.address} makes the machines of {platform.environment}"
    if facts is None:
        fix = "practicum status, in the repository, says more; the page 'Several hosts' says how hosts get to trust us"
        yield judge(place, False, error, why, fix)
        return
    yield judge(
        place,
        facts.recent,
        f"{facts.version} at {endpoint.address}",
        why,
        "on that host: sudo apt-get install --yes lxd",
    )
    there = pool in facts.pools
    found = f"{facts.pools[pool]}, {facts.free / GIB:.1f} GiB free" if there else "not there"
    fix = f"on that host: practicum setup --pool {pool}"
    yield judge(f"pool {pool} {platform.environment}", there, found, "machines and volumes", fix)
    cluster = Question(lambda: members(lxd)).answer(patience)[0] or {}
    for member in cluster.values():
        name, found = (
            f"member {member.name} {platform.environment}",
            f"{member.cpu} cores, {member.memory / GIB:.0f} GiB",
        )
        told = f"{found} of memory, {member.promised / GIB:.1f} GiB of it promised to machines"
        fix = f"start {member.name}; labs that live on it say so"
        yield advise(name, not member.trouble, member.trouble or told, "labs live on one member each", fix)
    why = "kernel settings, the resolver and other addresses of that host cannot be seen from here"
    yield note(f"host {platform.environment}", "not looked at: run 'practicum doctor' there", why)
