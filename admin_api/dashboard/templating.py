"""Templates, one set for each language, so that a translated template is compiled once."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from admin_api.auth.urls import PREFIX
from admin_api.dashboard import assets, translation
from antrian.domain.program import spoken_name

#: The reader's choices, which the server needs before the first paint.
LANGUAGE_COOKIE: Final = "antrian_lang"
THEME_COOKIE: Final = "antrian_theme"

_FOLDER = Path(__file__).parent / "templates"
_THEMES = frozenset({"light", "dark"})

#: Pages are made for one reader at one moment.
_HEADERS = {"Cache-Control": "no-store"}


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.install_gettext_translations(translation.translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        prefix=PREFIX,
        static=f"{PREFIX}/static/{assets.version()}",
        language=language,
        command=spoken_name(),
        strings_version=translation.version(language),
        languages=translation.LANGUAGES,
    )
    return environment


def language_of(request: Request) -> str:
    """The language that the reader wants."""
    return translation.chosen(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


def render(request: Request, template: str, values: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
    """A page, in the reader's language and colours.

    Args:
        request: whose page it is.
        template: its file.
        values: what it shows besides; `actor` is None where nobody is logged in.
        status: of HTTP.
    """
    theme = request.cookies.get(THEME_COOKIE)
    language = language_of(request)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    page = _environment(language).get_template(template)
    known = {
        "theme": theme if theme in _THEMES else "auto",
        "here": here,
        "actor": None,
        "is_sandbox": _is_sandbox(request),
        "retention_days": _retention_days(request),
        "modules": assets.modules(values.get("page", "")),
    }
    text = page.render({**known, **values})
    return HTMLResponse(text, status, headers=_HEADERS | {"Content-Language": language})


def _is_sandbox(request: Request) -> bool:
    """Whether nothing is really sent, as far as the settings of this process tell; the lane's status knows better."""
    services = getattr(request.app.state, "services", None)
    return services is not None and all(lane.is_sandbox for lane in services.settings.lanes.values())


def _retention_days(request: Request) -> int:
    """For how many whole days what was done can be looked up and undone."""
    services = getattr(request.app.state, "services", None)
    return max(1, int(services.settings.whatsapp_queue_retention_days)) if services is not None else 1
