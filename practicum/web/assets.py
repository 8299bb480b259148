"""The third-party files that browsers get: where npm puts them, and what is missing."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from practicum.errors import UnavailableError

__all__ = ["FOLDER", "NOVNC", "VENDOR", "require_vendor_files"]

FOLDER = Path(__file__).parent
_MODULES = FOLDER / "node_modules"
# The names under which browsers ask for them; nothing else of npm's is served.
VENDOR: Mapping[str, Path] = MappingProxyType(
    {
        "htmx.js": _MODULES / "htmx.org/dist/htmx.min.js",
        "hx-sse.js": _MODULES / "htmx.org/dist/ext/hx-sse.min.js",
        "xterm.mjs": _MODULES / "@xterm/xterm/lib/xterm.mjs",
        "xterm.css": _MODULES / "@xterm/xterm/css/xterm.css",
        "addon-fit.mjs": _MODULES / "@xterm/addon-fit/lib/addon-fit.mjs",
    }
)


# noVNC comes as modules that ask for each other by their places below this folder.
NOVNC = _MODULES / "@novnc/novnc"


def require_vendor_files() -> None:
    """Raise UnavailableError, with the command that brings them, when files of npm are missing."""
    missing = [
        str(path.relative_to(FOLDER)) for path in (*VENDOR.values(), NOVNC / "core/rfb.js") if not path.is_file()
    ]
    if missing:
        raise UnavailableError(
            "the web page lacks files that browsers need; nothing was started",
            details="\n".join(missing),
            resolution=f"make install; or, with Debian's npm: cd {FOLDER} && npm install --no-package-lock",
        )
