"""The generated tree of a lab as `{path: bytes}`: what stands in git and what provisioning reads."""

import hashlib
from collections.abc import Mapping

from generator.render.definitions import Target, seat_document, shared_document, static_files
from generator.render.kubernetes.tree import kubernetes_files
from generator.render.nodes import cluster_document
from generator.render.yaml_text import dump, header
from generator.seats.names import CLUSTER, PILOT, PROFESSOR
from generator.seats.seat_book import SeatBook

_WRITTEN_BY_COMMANDS = ("release.json", "operation.yaml")
_PARTS = 5  # environments/ENV/COURSE/LAB/NAME
Tree = dict[str, bytes]


def lab_folder(environment: str, lab: str) -> str:
    """Return the folder of a lab's generated files in an environment."""
    return f"environments/{environment}/{lab}"


def addresses_path(environment: str) -> str:
    """Return the path of an environment's address book."""
    return f"environments/{environment}/addresses.yaml"


def seats_path(lab: str) -> str:
    """Return the path of a lab's seat book; `lab` is COURSE/LAB."""
    return f"labs/{lab}.seats.yaml"


def spec_path(lab: str) -> str:
    """Return the path of a lab's spec; `lab` is COURSE/LAB."""
    return f"labs/{lab}.lab.yaml"


def is_written_by_commands(path: str) -> bool:
    """Say whether `generate` leaves a file of a lab's folder alone, because commands write it by themselves."""
    parts = path.split("/")
    return len(parts) == _PARTS and parts[0] == "environments" and parts[-1] in _WRITTEN_BY_COMMANDS


def render_lab(target: Target, book: SeatBook) -> Tree:
    """Return all generated files of a lab in the target's environment. Raises TemplateError.

    Dev has the professor and the pilot; prod has the professor and every student, leaving ones powered off.
    """
    seats = seats_of(target, book)
    folder = lab_folder(target.platform.environment, target.lab.key)
    documents = {"shared": shared_document(target)} | {
        seat: seat_document(target, seat, power="stopped" if leaving else "running") for seat, leaving in seats.items()
    }
    if target.lab.own_cluster:
        copies = sum(seat != PILOT and not leaving for seat, leaving in seats.items())
        documents[CLUSTER] = cluster_document(target, target.lab.own_cluster, copies)
    top = header(target.lab.path, f"practicum generate {target.lab.key}")
    tree = {f"{folder}/lxd/{name}.yaml": (top + dump(document)).encode() for name, document in documents.items()}
    tree |= {f"{folder}/lxd/files/{digest}": content for digest, content in static_files(target).items()}
    return tree | {f"{folder}/kubernetes/{path}": data for path, data in kubernetes_files(target, seats).items()}


def seats_of(target: Target, book: SeatBook) -> dict[str, bool]:
    """Return the seats of the target's environment, and of each whether its student is leaving."""
    if target.platform.environment == "dev":
        return {PROFESSOR: False, PILOT: False}
    return {PROFESSOR: False} | {seat: entry.state == "leaving" for seat, entry in book.items()}


def tree_digest(tree: Mapping[str, bytes]) -> str:
    """Return the digest of a lab's folder: paths and contents, without what commands write by themselves."""
    digest = hashlib.sha256()
    for path in sorted(tree):
        if not is_written_by_commands(path):
            content = hashlib.sha256(tree[path]).hexdigest()
            digest.update(f"{content}  {path.split('/lxd/', 1)[-1]}\n".encode())
    return f"sha256:{digest.hexdigest()}"
