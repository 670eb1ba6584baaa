"""The FastAPI application: which routers there are, and what every request goes through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from admin_api.access.addresses import PREFIX
from admin_api.access.doorkeeper import Doorkeeper
from admin_api.access.wiring import guard_app
from admin_api.dashboard import pages
from admin_api.web import problems, refusals
from admin_api.web.openapi import describe
from admin_api.web.parts import Parts
from admin_api.web.request_counts import RequestCounts
from admin_api.web.routes import analytics, failed, health, ingest, jobs, lane, messages, numbers, people, stream

_ABOUT = """Status, control and repair of a paced WhatsApp queue.

Every request but the health checks needs a token: `Authorization: Bearer …`, made by `antrian token create`.
Errors are RFC 9457 problem documents."""


def create_app(parts: Parts) -> FastAPI:
    """The application.

    Args:
        parts: what its routes work with; started and stopped by whoever made them.
    """
    app = FastAPI(title="Antrian", version="1", description=_ABOUT, lifespan=_lifespan, redoc_url=None, docs_url=None)
    app.state.parts = parts
    problems.install(app)
    refusals.install(app)
    guard_app(app, Doorkeeper(parts.settings), parts.audit)
    app.add_middleware(RequestCounts, metrics=parts.metrics)
    app.add_middleware(pages.ErrorPages)
    # Outside of whatever reads an answer. Compressing pages gives no secret away here: the session's cookie is
    # SameSite=Strict, so no other site can have one made with words of its own choosing in it.
    app.add_middleware(GZipMiddleware, compresslevel=6)
    for part in (health, ingest):
        app.include_router(part.router)
    for part in (lane, failed, jobs, messages, analytics, numbers, people, stream):
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(pages.router)
    pages.mount_static(app)
    pages.redirect_root(app)
    describe(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    parts.broadcast.attach()
    yield
