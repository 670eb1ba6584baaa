"""The FastAPI application: which routers there are, and what every request goes through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from admin_api import error_handlers, problems
from admin_api.auth.authentication import Authenticator
from admin_api.auth.middleware import guard_app
from admin_api.auth.urls import PREFIX
from admin_api.dashboard import pages
from admin_api.dependencies import Services
from admin_api.openapi import describe
from admin_api.request_counts import RequestCounts
from admin_api.routes import (
    analytics,
    contacts,
    doctor,
    failed,
    health,
    holds,
    holds_release,
    imports,
    ingest,
    jobs,
    lane,
    me,
    messages,
    notices,
    numbers,
    plan,
    stream,
    waiting,
)

_ABOUT = """Status, control and repair of a paced WhatsApp queue.

Every request but the health checks needs a token: `Authorization: Bearer …`, made by `antrian token create`.
Errors are RFC 9457 problem documents."""


def create_app(services: Services) -> FastAPI:
    """The application.

    Args:
        services: what its routes work with; started and stopped by the caller.
    """
    app = FastAPI(title="Antrian", version="1", description=_ABOUT, lifespan=_lifespan, redoc_url=None, docs_url=None)
    app.state.services = services
    problems.install(app)
    error_handlers.install(app)
    guard_app(app, Authenticator(services.settings), services.audit)
    app.add_middleware(RequestCounts, metrics=services.metrics)
    app.add_middleware(pages.ErrorPages)
    # Outside of whatever reads an answer. Compressing pages gives no secret away here: the session's cookie is
    # SameSite=Strict, so no other site can have one made with words of its own choosing in it.
    app.add_middleware(GZipMiddleware, compresslevel=6)
    for part in (health, ingest):
        app.include_router(part.router)
    of_a_lane, of_messages = (lane, holds, holds_release, plan), (failed, jobs, messages, waiting, imports)
    for part in (*of_a_lane, *of_messages, contacts, analytics, numbers, me, doctor, notices, stream):
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(pages.router)
    pages.mount_static(app)
    pages.redirect_root(app)
    describe(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    services.broadcast.attach()
    yield
