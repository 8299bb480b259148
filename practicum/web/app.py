"""The web page as one ASGI application."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from practicum.errors import PracticumError
from practicum.web import (
    class_work,
    courses,
    creation,
    delivery,
    desktop,
    editor,
    labs,
    login,
    looking,
    own_copy,
    own_files,
    terminal,
    watching,
)
from practicum.web.assets import FOLDER, NOVNC, VENDOR
from practicum.web.gate import Gate
from practicum.web.pages import bug, forbidden, not_found, told
from practicum.web.site import SESSION_SECONDS, Site

MEDIA = {".mjs": "text/javascript", ".js": "text/javascript", ".css": "text/css"}


async def vendor_file(request: Request) -> Response:
    """Return a file of npm's, by the short name that pages use."""
    path: Path | None = VENDOR.get(request.path_params["name"])
    if path is None or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=MEDIA[path.suffix])


def build_app(site: Site) -> Starlette:
    """Return the application of a site."""
    routes = [
        Route("/static/vendor/{name}", vendor_file),
        *(Mount(f"/static/vendor/novnc/{part}", StaticFiles(directory=NOVNC / part)) for part in ("core", "vendor")),
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
        *login.ROUTES,
        *class_work.ROUTES,
        *courses.ROUTES,
        *own_copy.ROUTES,
        *own_files.ROUTES,
        *labs.ROUTES,
        *creation.ROUTES,
        *editor.ROUTES,
        *delivery.ROUTES,
        *watching.ROUTES,
        *terminal.ROUTES,
        *desktop.ROUTES,
        *looking.ROUTES,
    ]
    middleware = [
        Middleware(
            SessionMiddleware,
            secret_key=site.key,
            # Cookies know no ports: two web pages on one host must not sign each other's people out.
            session_cookie=f"practicum-{site.address.port}",
            max_age=SESSION_SECONDS,
            same_site="strict",
            https_only=site.address.tls,
        ),
        Middleware(Gate, site=site),
    ]
    handlers = {PracticumError: told, 403: forbidden, 404: not_found, 405: not_found, Exception: bug}
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)
    app.state.site = site
    return app
