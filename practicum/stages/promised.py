"""What the labs of an environment are promised together, as far as git tells."""

from functools import cached_property

from generator.generate import find_labs
from generator.seats.capacity import Promise, promised
from generator.seats.names import PILOT
from practicum.errors import PracticumError
from practicum.stages.deployment import Deployment, load_deployment
from practicum.stages.workspace import Workspace


def promised_to(deployment: Deployment) -> Promise:
    """Return what the running seats of a lab are promised; nothing for one that is stopped or destroyed."""
    if deployment.operation.life == "destroyed" or deployment.operation.power == "stopped":
        return Promise()
    return promised(deployment.shared, (seat for seat in deployment.documents if seat["seat"] != PILOT))


class Promises:
    """What each lab is promised in each environment: as committed, or as it is expected to be. Each is read once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._expected: dict[tuple[str, str], Promise] = {}

    def expect(self, lab: str, environment: str, promise: Promise) -> None:
        """Let a lab count with what it will be promised, not with what is committed."""
        self._expected[environment, lab] = promise

    def together(self, environment: str) -> Promise:
        """Return what all labs are promised in an environment; what was never deployed counts nothing."""
        return sum((self._of(lab, environment) for lab in self._labs), Promise())

    @cached_property
    def _labs(self) -> list[str]:
        return find_labs(self._workspace.repository.sources("HEAD"))

    def _of(self, lab: str, environment: str) -> Promise:
        if (environment, lab) not in self._expected:
            try:
                promise = promised_to(load_deployment(self._workspace, lab, environment))
            except PracticumError:
                promise = Promise()
            self.expect(lab, environment, promise)
        return self._expected[environment, lab]
