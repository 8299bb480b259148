"""What the pods and events of a namespace say is wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

from practicum.errors import PracticumError
from practicum.kubernetes.client import Cluster

__all__ = ["explain"]

Document = Mapping[str, Any]
_MOST_LINES = 6
# What a container waits for in the course of things.
_BEGINNING = ("ContainerCreating", "PodInitializing")


def explain(cluster: Cluster, namespace: str) -> list[str]:
    """Return what pods and events of a namespace say is wrong, the most telling first."""
    try:
        pods = cluster.listed("v1", "Pod", namespace=namespace)
        events = cluster.listed("v1", "Event", namespace=namespace)
    except PracticumError as error:
        return [f"pods and events cannot be read: {error.details or error.message}"]
    lines = [line for pod in pods for line in _of_pod(pod)]
    warnings = [event for event in events if event.get("type") == "Warning"]
    warnings.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""), reverse=True)
    # A controller that tries again says the same of another pod each time: the newest stands for all.
    lines += list({_about(event): _of_event(event) for event in reversed(warnings)}.values())[::-1]
    return list(dict.fromkeys(lines))[:_MOST_LINES]


def _of_pod(pod: Document) -> Iterator[str]:
    status = pod.get("status") or {}
    name = f"pod {pod['metadata']['name']}"
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (one.get("state") or {}).get("waiting") or {}
        ended = (one.get("lastState") or {}).get("terminated") or (one.get("state") or {}).get("terminated") or {}
        if waiting and waiting.get("reason") not in _BEGINNING:
            yield _line(f"{name}: container {one['name']}: {waiting.get('reason', '')}", waiting.get("message", ""))
        if ended.get("exitCode"):
            yield _line(
                f"{name}: container {one['name']} ended with exit code {ended['exitCode']}", ended.get("message", "")
            )
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield _line(f"{name}: no node takes it", condition.get("message", ""))


def _about(event: Document) -> tuple[str, str, str]:
    about = event.get("involvedObject") or {}
    return str(about.get("kind", "")), str(about.get("name", "")), str(event.get("reason", ""))


def _of_event(event: Document) -> str:
    about = event.get("involvedObject") or {}
    return _line(
        f"{str(about.get('kind', '')).lower()} {about.get('name', '')}: {event.get('reason', '')}",
        event.get("message", ""),
    )


def _line(what: str, said: str) -> str:
    """Return one line for people; what pods say is their owner's, so nothing that a terminal would obey."""
    text = f"{what}: {said}" if said else what
    return "".join(character if character.isprintable() else " " for character in text)
