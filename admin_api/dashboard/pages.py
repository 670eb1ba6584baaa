"""The pages for people. They are made here and filled by their scripts, over the same API that everybody uses."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from admin_api.auth.authorization import Actor, require_page
from admin_api.auth.body_limit import LARGEST_FILE
from admin_api.auth.urls import PREFIX, inside
from admin_api.dashboard import assets, translation
from admin_api.dashboard.error_pages import ErrorPages
from admin_api.dashboard.templating import LANGUAGE_COOKIE, render

__all__ = ["PREFIX", "ErrorPages", "mount_static", "redirect_root", "router"]

router = APIRouter(prefix=PREFIX, include_in_schema=False, default_response_class=HTMLResponse)

_A_YEAR: Final = 365 * 24 * 3600

Reader = Annotated[Actor, Depends(require_page("viewer"))]
Writer = Annotated[Actor, Depends(require_page("operator"))]
Next = Annotated[str, Query(alias="next", max_length=2000)]


def mount_static(app: FastAPI) -> None:
    """Serve the style sheets and scripts; they hold no secrets and need no login."""
    app.mount(f"{PREFIX}/static", assets.VersionedFiles(assets.version()), name="static")


def redirect_root(app: FastAPI) -> None:
    """Lead from the bare address of the server to the dashboard."""
    app.add_api_route("/", lambda: RedirectResponse(f"{PREFIX}/"), include_in_schema=False)


@router.get("")
@router.get("/")
def dashboard(request: Request, reader: Reader) -> HTMLResponse:
    """What the lane is doing now."""
    return _page(request, reader, "dashboard")


@router.get("/desk")
def desk(request: Request, reader: Reader) -> HTMLResponse:
    """The dead letters."""
    return _page(request, reader, "desk")


@router.get("/desk/{message_id:path}")
@router.get("/message/{message_id:path}")
def message(request: Request, reader: Reader, message_id: str) -> HTMLResponse:
    """One message and its life, with what the desk can do about it if it is a dead letter."""
    return _page(request, reader, "message", message_id=message_id)


@router.get("/search")
def search(request: Request, reader: Reader) -> HTMLResponse:
    """Messages, by whatever is known about them."""
    return _page(request, reader, "search")


@router.get("/waiting")
def waiting(request: Request, reader: Reader) -> HTMLResponse:
    """Everything that waits in a lane."""
    return _page(request, reader, "waiting")


@router.get("/import")
def import_page(request: Request, writer: Writer) -> HTMLResponse:
    """Messages from a file."""
    return _page(request, writer, "import", largest=LARGEST_FILE)


@router.get("/activity")
def activity(request: Request, reader: Reader) -> HTMLResponse:
    """What people did: clearings, jobs, and for admins every action."""
    return _page(request, reader, "activity")


@router.get("/opt-outs")
def opt_outs(request: Request, reader: Reader) -> HTMLResponse:
    """Who does not want which messages, with the proof."""
    return _page(request, reader, "optouts")


@router.get("/contact/{number:path}")
def contact(request: Request, reader: Reader, number: str) -> HTMLResponse:
    """What is known of one recipient, and the messages to them."""
    return _page(request, reader, "contact", number=number)


@router.get("/planning")
def planning(request: Request, reader: Reader) -> HTMLResponse:
    """When so many messages would be sent, before anybody queues them."""
    return _page(request, reader, "plan")


@router.get("/report")
def report(request: Request, reader: Reader) -> HTMLResponse:
    """What was sent, how much of it failed, and how long it took."""
    return _page(request, reader, "report")


@router.get("/health")
def health(request: Request, reader: Reader) -> HTMLResponse:
    """What `antrian doctor` finds."""
    return _page(request, reader, "health")


@router.get("/login")
def login(request: Request, to: Next = PREFIX, error: Annotated[str, Query()] = "") -> HTMLResponse:
    """The form that asks for a token."""
    return render(request, "login.html", {"next": inside(to), "error": error})


@router.get("/language/{language}")
def choose_language(language: str, to: Next = PREFIX) -> Response:
    """Remember the language, and go back to where the reader was."""
    response = RedirectResponse(inside(to), HTTPStatus.SEE_OTHER)
    if language in translation.LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_A_YEAR, path=PREFIX, samesite="strict")
    return response


@router.get("/strings/{language}.js")
def strings(language: str, v: str = "") -> Response:
    """The translations, for the scripts; a browser may keep them where their address names their version."""
    known = language if language in translation.LANGUAGES else translation.SOURCE
    headers = {"Cache-Control": assets.FOR_EVER if v == translation.version(known) else "no-cache"}
    return Response(translation.script(known), media_type="text/javascript", headers=headers)


def _page(request: Request, reader: Actor, name: str, **values: Any) -> HTMLResponse:
    return render(request, f"{name}.html", {"page": name, "actor": reader, **values})
