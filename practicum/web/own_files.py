"""A student's own files: looked at and taken away without a running machine, also as they were, and put in."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from generator.spec.units import format_size
from practicum.errors import InputError
from practicum.stages.browse import Entry
from practicum.stages.own_files import OwnFiles, put_file
from practicum.web.access import guarded, lab_named
from practicum.web.gate import MOST_UPLOADED
from practicum.web.messages import say
from practicum.web.pages import page
from practicum.web.site import site_of

__all__ = ["ROUTES"]

MOST_SHOWN = 2000


@dataclass(frozen=True)
class Row:
    """One line of the list. `way` is the path in an address; `name` is what is shown, without marks that deceive."""

    name: str
    way: str
    kind: str
    size: int
    changed: datetime | None = None


def show(request: Request) -> Response:
    """Show what a folder has; without one the volumes of a copy, or what is in its only one."""
    files, path = _files(request), _asked(request, "in")
    volumes = [*files.volumes()]
    if not path and len(volumes) == 1:
        path = volumes[0]
    rows = [_row(path, one) for one in files.folder(path)] if path else [_volume(one) for one in volumes]
    return page(
        request,
        "files.html",
        course=request.path_params["course"],
        place=f"/labs/{files.lab}/seats/{files.seat}/files",
        snapshot=files.snapshot,
        at=quote(files.snapshot),
        way=_way(path),
        parents=[*_parents(path)],
        rows=rows[:MOST_SHOWN],
        more=max(0, len(rows) - MOST_SHOWN),
        most=format_size(MOST_UPLOADED),
    )


def get(request: Request) -> Response:
    """Send one file. Browsers never show it: it may be a page that somebody made."""
    path = _asked(request, "in")
    return _sent(_files(request).file(path), posixpath.basename(path))


def get_all(request: Request) -> Response:
    """Send a folder as a zip."""
    path = _asked(request, "in")
    return _sent(_files(request).archive(path), f"{posixpath.basename(path.rstrip('/'))}.zip")


async def put(request: Request) -> Response:
    """Put in the file of a form."""
    async with request.form(max_files=1, max_fields=1) as form:
        file, folder = form.get("file"), unquote(str(form.get("in", "")), errors="surrogateescape")
        if not isinstance(file, UploadFile) or not file.filename:
            raise InputError(say("files.nothing"), resolution=say("files.nothing_way"))
        lab, seat = lab_named(request), request.path_params["seat"]
        workspace = site_of(request).workspace()
        await run_in_threadpool(put_file, workspace, lab, seat, folder, file.filename, file.file)
    return RedirectResponse(f"/labs/{lab}/seats/{seat}/files?in={_way(folder)}", 303)


def _files(request: Request) -> OwnFiles:
    seat = str(request.path_params["seat"])
    return OwnFiles(site_of(request).workspace(), lab_named(request), seat, _asked(request, "at"))


def _asked(request: Request, name: str) -> str:
    """Return what an address asks for; names of files are bytes, which need not be UTF-8."""
    query = parse_qs(request.scope["query_string"].decode("ascii", "replace"), errors="surrogateescape")
    return str(query.get(name, [""])[0])


def _sent(pieces: Iterator[bytes], name: str) -> Response:
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(_shown(name), safe='')}"}
    return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)


def _row(folder: str, entry: Entry) -> Row:
    kind = {"d": "folder", "-": "file"}.get(entry.mode[0], "link")
    name = entry.name.removesuffix("/") if kind == "folder" else entry.name
    return Row(_shown(name), _way(f"{folder.rstrip('/')}/{name}"), kind, entry.size, entry.changed.astimezone(UTC))


def _volume(name: str) -> Row:
    return Row(name, _way(name), "folder", 0)


def _parents(path: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the way of each folder on the way to a path."""
    parts = path.strip("/").split("/") if path else []
    for end, name in enumerate(parts, 1):
        yield _shown(name), _way("/".join(parts[:end]))


def _way(path: str) -> str:
    return quote(path, safe="/", errors="surrogateescape")


def _shown(name: str) -> str:
    """Return a name that can be shown: without line breaks, and marks that turn text around."""
    return "".join(one if one.isprintable() else "�" for one in name)


FILES = "/labs/{course}/{lab}/seats/{seat}/files"
ROUTES = [
    guarded(FILES, show, "files"),
    guarded(f"{FILES}/get", get, "files"),
    guarded(f"{FILES}/zip", get_all, "files"),
    guarded(f"{FILES}/put", put, "files", "POST"),
]
