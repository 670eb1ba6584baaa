"""The style sheets, scripts and pictures, under an address that changes when any of them does.

The version is a folder in the address (`…/static/1a2b3c/app.js`), so that what a module imports beside itself has it
too.
"""

import gzip
import hashlib
import re
from functools import cache
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

FOLDER: Final = Path(__file__).parent / "static"

#: A year: the address changes with the content.
FOR_EVER = "public, max-age=31536000, immutable"


#: The style sheets, in the order in which they count, and the address of all of them in one.
SHEETS: Final = (
    *("tokens", "base", "controls", "layout", "dashboard", "charts", "desk", "life", "number_field", "report"),
    *("waiting", "import", "search", "palette", "health", "activity", "holds", "plan"),
)
ALL_STYLES: Final = "style/all.css"

#: What a module imports beside itself; the page's own module has its name put together by `app.js`.
_IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?["'](\.{1,2}/[\w/-]+\.js)["'];""", re.MULTILINE)


@cache
def modules(page: str) -> tuple[str, ...]:
    """Every module that a page needs, so that a browser can ask for all of them at once.

    Without this it finds them level by level, with a round trip for each.

    Args:
        page: the page's name; one without a module of its own needs only what all pages have.

    Returns:
        Paths below the static folder, sorted.
    """
    found: set[str] = set()
    to_read = [name for name in ("app.js", f"pages/{page}.js") if (FOLDER / name).is_file()]
    while to_read:
        name = to_read.pop()
        found.add(name)
        here = (FOLDER / name).parent
        imported = ((here / path).resolve() for path in _IMPORT.findall((FOLDER / name).read_text(encoding="utf-8")))
        to_read += [path.relative_to(FOLDER.resolve()).as_posix() for path in imported if path.is_file()]
        to_read = [one for one in to_read if one not in found]
    return tuple(sorted(found))


def version(folder: Path = FOLDER) -> str:
    """A short name for the content of all files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _all_styles() -> bytes:
    """All style sheets in one, in their order: a page is not painted before it has every one, so they come at once."""
    return b"".join((FOLDER / "style" / f"{sheet}.css").read_bytes() + b"\n" for sheet in SHEETS)


class VersionedFiles:
    """ASGI application that serves the folder below its version, from memory and compressed once.

    Below another version too, but then nobody may keep what he got.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._files = {path.relative_to(FOLDER).as_posix(): _File(path) for path in FOLDER.rglob("*") if path.is_file()}
        self._files[ALL_STYLES] = _File(FOLDER / ALL_STYLES, _all_styles())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for `VERSION/path`."""
        request = Request(scope)
        asked, _, path = scope["path"].removeprefix(scope["root_path"]).lstrip("/").partition("/")
        file = self._files.get(path)
        if file is None or request.method not in {"GET", "HEAD"}:
            raise HTTPException(404 if file is None else 405)
        response = file.response(is_compressed="gzip" in request.headers.get("accept-encoding", ""))
        response.headers["Cache-Control"] = FOR_EVER if asked == self._version else "no-cache"
        await response(scope, receive, send)


class _File:
    """One file as it is sent."""

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        self._plain = path.read_bytes() if content is None else content
        self._compressed = gzip.compress(self._plain, mtime=0)
        self._media_type = guess_type(path.name)[0] or "application/octet-stream"

    def response(self, *, is_compressed: bool) -> Response:
        headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if is_compressed else {})
        return Response(self._compressed if is_compressed else self._plain, 200, headers, self._media_type)
