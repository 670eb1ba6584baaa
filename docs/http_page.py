"""The HTTP page: a row for every address, from the application and its OpenAPI description."""

from collections.abc import Iterator, Mapping
from string import Template
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from generated import TEMPLATES, table

from admin_api.app import create_app
from admin_api.auth.authorization import Authorization
from admin_api.auth.urls import PREFIX
from admin_api.dependencies import no_services
from antrian.domain.settings import load_settings

#: What every guarded address may answer; said once, and not in every row.
_ALWAYS = {"400", "401", "403", "413", "422", "429"}


def page() -> str:
    """docs/reference/http.md.

    Raises:
        LookupError: an address says nothing about itself.
    """
    app = create_app(no_services(load_settings({})))
    document = app.openapi()
    template = Template((TEMPLATES / "http.md").read_text(encoding="utf-8"))
    return template.substitute(prefix=PREFIX, addresses=_addresses(app, document), pages=_pages(app))


def _addresses(app: FastAPI, document: Mapping[str, Any]) -> str:
    roles = {(method, route.path_format): _role(route) for route in _routes(app) for method in route.methods}
    by_tag: dict[str, list[tuple[str, ...]]] = {}
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            row = _row(method.upper(), path, roles[method.upper(), path], said, document)
            by_tag.setdefault(said["tags"][0], []).append(row)
    heading = ("address", "role", "asks for", "answers", "what")
    return "\n\n".join(f"### {tag.capitalize()}\n\n{table(heading, rows)}" for tag, rows in by_tag.items())


def _pages(app: FastAPI) -> str:
    described = set(app.openapi()["paths"])
    rows = [
        (
            f"`{route.path_format.replace(PREFIX, '…', 1)}`",
            _role(route),
            (route.endpoint.__doc__ or "").partition("\n")[0],
        )
        for route in _routes(app)
        if route.path_format not in described and "GET" in route.methods
    ]
    return table(("page", "role", "what"), rows)


def _row(method: str, path: str, role: str, said: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[str, ...]:
    what = said.get("description", "").partition("\n")[0]
    if not what:
        raise LookupError(f"{method} {path} says nothing about itself: give its function a docstring")
    asked = [f"`?{one['name']}`" for one in said.get("parameters", ()) if one["in"] == "query"]
    asked += [f"`{name}`" for name in _fields(said, document)]
    answers = [status for status in sorted(said["responses"]) if status not in _ALWAYS]
    return f"`{method} {_short(path)}`", role, " ".join(asked), ", ".join(answers), what


def _short(path: str) -> str:
    return path.replace(PREFIX, "…", 1)


def _fields(said: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    """The fields of the body; those of a reference are looked up."""
    for content in said.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        for part in (schema, *schema.get("anyOf", ())):
            name = part.get("$ref", "").rpartition("/")[2]
            yield from document["components"]["schemas"].get(name, part).get("properties", {})


def _routes(app: FastAPI) -> list[RouteContext]:
    return [one for one in iter_route_contexts(app.routes) if one.methods and one.path != "/openapi.json"]


def _role(route: RouteContext) -> str:
    """The least role; `open` for what needs none."""
    dependant = getattr(route.original_route, "dependant", None)
    return next((guard.needed.value for guard in _guards(dependant)), "open") if dependant else "open"


def _guards(dependant: Dependant) -> Iterator[Authorization]:
    if isinstance(dependant.call, Authorization):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _guards(inner)
