"""From the files of a repository to all that is generated from them: text in, files out, or problems."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from generator.catalogue.model import MachineType
from generator.diagnostics.diagnostic import Diagnostic, Position
from generator.render.argocd import argocd_changes
from generator.render.definitions import Target, TemplateError, check_templates
from generator.render.kubernetes.professor import check_base
from generator.render.tree import (
    Tree,
    addresses_path,
    is_written_by_commands,
    lab_folder,
    render_lab,
    seats_of,
    seats_path,
    spec_path,
)
from generator.render.yaml_text import dump, header
from generator.seats.addresses import AddressesExhausted, LabAddresses, allocate, read_book, write_book
from generator.seats.books import BrokenBook, read_book_file
from generator.seats.names import PILOT, PROFESSOR
from generator.seats.seat_book import SeatBook, SeatsExhausted, assign, highest_number, read_seats, write_seats
from generator.spec.load import load_lab, load_platforms
from generator.spec.model import Lab
from generator.spec.platform import ENVIRONMENTS, Platform
from generator.spec.sources import Sources
from generator.spec.template_problem import template_problem

Catalogue = Mapping[str, MachineType]
Changes = dict[str, bytes | None]
Books = Mapping[str, Mapping[str, LabAddresses]]
_NEW_LAB = "Make a new lab for this class: the ids of people who left are never given to others."
_NEARLY_SPEC = re.compile(r"^(labs/[^/]+/[^/]+?)[.]lab[.](?:ya?ml|json)(?:[.](?:txt|ya?ml))?$", re.IGNORECASE)


@dataclass(frozen=True)
class LabState:
    """A lab that is valid, with the seats and addresses that it has or would get."""

    lab: Lab
    seats: SeatBook
    addresses: Mapping[str, LabAddresses]


@dataclass(frozen=True)
class Edition:
    """One reading of a repository. `books` are the address books with what was added for `labs`."""

    sources: Sources
    catalogue: Catalogue
    platforms: Mapping[str, Platform]
    labs: tuple[LabState, ...]
    books: Books
    diagnostics: tuple[Diagnostic, ...]

    @property
    def failed(self) -> bool:
        """Say whether something is wrong that forbids to generate."""
        return any(problem.severity == "error" for problem in self.diagnostics)


@dataclass
class _Reading:
    sources: Sources
    catalogue: Catalogue
    today: date
    problems: list[Diagnostic] = field(default_factory=list)

    def edition(self, keys: Sequence[str]) -> Edition:
        loaded = load_platforms(self.sources)
        self.problems += loaded.diagnostics
        books = self._books()
        states = []
        for key in keys:
            result = load_lab(self.sources, spec_path(key), self.catalogue, loaded.platforms)
            self.problems += result.diagnostics
            if result.lab and books and (state := self._state(result.lab, books, loaded.platforms)):
                books = {name: {**book, key: state.addresses[name]} for name, book in books.items()}
                states.append(state)
        found = tuple(sorted(set(self.problems), key=Diagnostic.sort_key))
        return Edition(self.sources, self.catalogue, loaded.platforms, tuple(states), books, found)

    def _books(self) -> Books:
        """Return the address books; none when one is broken: no lab can be judged without them."""
        books: dict[str, Mapping[str, LabAddresses]] = {}
        for name in ENVIRONMENTS:
            try:
                books[name] = read_addresses(self.sources, name)
            except BrokenBook as error:
                self.problems.append(_book_problem(error))
        return books if len(books) == len(ENVIRONMENTS) else {}

    def _state(self, lab: Lab, books: Books, platforms: Mapping[str, Platform]) -> LabState | None:
        try:
            seats = assign(lab.students, read_seat_book(self.sources, lab.key), self.today)
            given = {name: self._allocated(lab, seats, name, books[name], platforms[name]) for name in ENVIRONMENTS}
        except SeatsExhausted as error:
            self.problems.append(Diagnostic("PRA094", str(error), lab.path, Position(), "students", hint=_NEW_LAB))
            return None
        except AddressesExhausted as error:
            self.problems.append(Diagnostic("PRA094", str(error), lab.path, Position(), "students"))
            return None
        except BrokenBook as error:
            self.problems.append(_book_problem(error))
            return None
        state = LabState(lab, seats, given)
        self.problems += self._template_problems(state, platforms)
        return state

    def _template_problems(self, state: LabState, platforms: Mapping[str, Platform]) -> list[Diagnostic]:
        """Return one problem a file, that of the professor's seat when it has one."""
        found: dict[str, TemplateError] = {}
        for name, seats in (("dev", (PROFESSOR, PILOT)), ("prod", (PROFESSOR, *state.seats))):
            target = Target(state.lab, platforms[name], state.addresses[name], self.catalogue, self.sources)
            for error in (*check_templates(target, seats), *check_base(target, seats)):
                found.setdefault(error.file, error)
        return [_template_problem(self.sources, error) for error in found.values()]

    def _allocated(
        self, lab: Lab, seats: SeatBook, environment: str, book: Mapping[str, LabAddresses], platform: Platform
    ) -> LabAddresses:
        students = highest_number(seats) if environment == "prod" else 0
        machines = [machine.name for machine in lab.machines]
        return allocate(book, platform.addresses, lab.key, students, machines, len(lab.networks))[lab.key]


def read_edition(sources: Sources, catalogue: Catalogue, labs: Sequence[str], today: date) -> Edition:
    """Read the named labs of a repository with everything that is wrong with them. `today` dates new seats."""
    return _Reading(sources, catalogue, today).edition(labs)


def generate(edition: Edition) -> Changes:
    """Return what has to change for the generated files of dev to be right; None means that a file goes."""
    wanted = generated(edition)
    obsolete = [
        path
        for state in edition.labs
        for path in _generated(edition.sources, "dev", state.lab.key)
        if path not in wanted
    ]
    changes: Changes = {path: data for path, data in wanted.items() if not _is(edition.sources, path, data)}
    return changes | dict.fromkeys(obsolete) | render_argocd(edition, "dev", edition.sources)


def generated(edition: Edition) -> Tree:
    """Return the generated files of dev and the books as they should be; without those of Argo CD."""
    wanted: Tree = {}
    for state in edition.labs:
        wanted |= render(edition, state, "dev") | {seats_path(state.lab.key): _seats_file(state)}
    return wanted | {addresses_path(name): _addresses_file(name, book) for name, book in edition.books.items() if book}


def render_argocd(edition: Edition, environment: str, state: Sources) -> Changes:
    """Return what has to change below `argocd` for an edition's labs; `state` has what is there."""
    labs = [(_target(edition, lab, environment), lab.seats) for lab in edition.labs]
    listed = [(target, [*seats_of(target, seats)]) for target, seats in labs]
    changes = argocd_changes(edition.platforms[environment], listed, state)
    return {path: data for path, data in changes.items() if _differs(state, path, data)}


def render(edition: Edition, state: LabState, environment: str) -> Tree:
    """Return a lab's tree in an environment."""
    return render_lab(_target(edition, state, environment), state.seats)


def _target(edition: Edition, state: LabState, environment: str) -> Target:
    platform = edition.platforms[environment]
    return Target(state.lab, platform, state.addresses[environment], edition.catalogue, edition.sources)


def read_addresses(sources: Sources, environment: str) -> dict[str, LabAddresses]:
    """Return an environment's address book. Raises BrokenBook."""
    return read_book_file(sources, addresses_path(environment), read_book)


def read_seat_book(sources: Sources, lab: str) -> SeatBook:
    """Return who has which seat of a lab. Raises BrokenBook."""
    return read_book_file(sources, seats_path(lab), read_seats)


def find_labs(sources: Sources) -> list[str]:
    """Return COURSE/LAB of every spec in a repository; folders that begin with _ are no courses."""
    return sorted(_lab_names(sources))


def misplaced_specs(sources: Sources) -> list[Diagnostic]:
    """Return a problem for each file below labs/ that looks like a spec and would be read as none."""
    return [problem for path in sources.files("labs") if (problem := _misplaced(sources, path))]


def _misplaced(sources: Sources, path: str) -> Diagnostic | None:
    if path.endswith(".lab.yaml"):
        status = sources.status(path)
        if status == "outside":
            return Diagnostic("PRA051", "this spec is a symbolic link to a place outside its course's folder", path)
        lost = "this spec is a link to nothing, or no regular file"
        return Diagnostic("PRA050", lost, path) if status == "missing" else None
    if not _NEARLY_SPEC.search(path):
        return None
    better = _NEARLY_SPEC.sub(r"\1.lab.yaml", path)
    hint = f"Rename it to {better}."
    return Diagnostic("PRA030", "this file is not read: the name of a spec ends in .lab.yaml", path, hint=hint)


def _lab_names(sources: Sources) -> Iterator[str]:
    for path in sources.files("labs"):
        is_spec = path.endswith(".lab.yaml") and not path.startswith("labs/_")
        if is_spec and sources.status(path) == "file":
            yield path.removeprefix("labs/").removesuffix(".lab.yaml")


def _template_problem(sources: Sources, error: TemplateError) -> Diagnostic:
    where = "" if error.seat == PROFESSOR else f" (in the seat {error.seat})"
    source = sources.read(error.file).decode(errors="replace")
    told = template_problem(error.file, source, error.problem.line, error.problem.message)
    return replace(told, message=told.message + where)


def _book_problem(error: BrokenBook) -> Diagnostic:
    return Diagnostic("PRA095", error.message, error.path, Position(error.line, 1, error.line, 1))


def _seats_file(state: LabState) -> bytes:
    note = "# Who has which seat, for ever: an id is never given to another person.\n"
    top = header(state.lab.path, f"practicum generate {state.lab.key}")
    return (top + note + dump(write_seats(state.seats))).encode()


def _addresses_file(environment: str, book: Mapping[str, LabAddresses]) -> bytes:
    top = header("the specs in labs/", "practicum generate")
    return (top + f"# Which lab has which addresses in {environment}, for ever.\n" + dump(write_book(book))).encode()


def _generated(sources: Sources, environment: str, lab: str) -> list[str]:
    return [path for path in sources.files(lab_folder(environment, lab)) if not is_written_by_commands(path)]


def _differs(sources: Sources, path: str, data: bytes | None) -> bool:
    return sources.status(path) != "missing" if data is None else not _is(sources, path, data)


def _is(sources: Sources, path: str, data: bytes) -> bool:
    return sources.status(path) == "file" and sources.read(path) == data
