"""The addresses that access control itself has to know."""

from typing import Final
from urllib.parse import urlencode

#: Everything of the admin side lives below this.
PREFIX: Final = "/admin/whatsapp-queue"
LOGIN: Final = f"{PREFIX}/login"
LOGOUT: Final = f"{PREFIX}/logout"

#: Open to everybody: what is needed to see that the process lives, and to log in.
_OPEN: Final = frozenset({"/healthz", "/readyz", "/metrics", "/favicon.ico", LOGIN})
_STATIC_BELOW: Final = (f"{PREFIX}/static/", f"{PREFIX}/strings/")
_OPEN_BELOW: Final = (*_STATIC_BELOW, f"{PREFIX}/language/")

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def is_open(path: str) -> bool:
    """Whether a path may be asked for by anybody."""
    return path in _OPEN or path.startswith(_OPEN_BELOW)


def is_static(path: str) -> bool:
    """Whether a path is a file that says nothing about anybody and may be kept by browsers."""
    return path.startswith(_STATIC_BELOW)


def is_upload(path: str) -> bool:
    """Whether a path takes a whole file."""
    return path == f"{PREFIX}/imports"


def is_safe_method(method: str) -> bool:
    """Whether a method changes nothing (RFC 9110, 9.2.1)."""
    return method in _SAFE_METHODS


def inside(address: str) -> str:
    """The address if it is one of our pages, else the dashboard: a login must not lead anywhere else."""
    path = address.partition("?")[0].partition("#")[0]
    ours = path == PREFIX or path.startswith(f"{PREFIX}/")
    is_clean = address.isascii() and address.isprintable() and "\\" not in address
    return address if ours and is_clean and path not in {LOGIN, LOGOUT} else f"{PREFIX}/"


def login_address(*, error: str = "", next_page: str = "") -> str:
    """The login page, with what it should say and where it should lead.

    Args:
        error: `wrong`, `role`, `link`, `expired`, `throttled` or `unavailable`; empty for none.
        next_page: an address of ours; anything else is left out.
    """
    wanted = inside(next_page) if next_page else ""
    query = {"error": error, "next": wanted if wanted != f"{PREFIX}/" else ""}
    words = urlencode({name: value for name, value in query.items() if value})
    return f"{LOGIN}?{words}" if words else LOGIN
