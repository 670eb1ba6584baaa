"""All of access control around an app, in the only right order."""

from fastapi import FastAPI

from admin_api.access.body_limit import BodyLimit
from admin_api.access.doorkeeper import Doorkeeper
from admin_api.access.gate import Gate
from admin_api.access.headers import SecurityHeaders
from admin_api.access.login import login_router
from admin_api.access.witness import Record, Witness
from admin_api.web.problems import LastResort


def guard_app(app: FastAPI, keeper: Doorkeeper, trail: Record) -> None:
    """Close an app. Call it after `problems.install`, and before the pages' routes are included.

    Outermost first: headers, witness, last resort, body limit, gate, and then what `problems.install` added.

    Args:
        app: of the admin side.
        keeper: knows tokens and sessions.
        trail: where every action goes on record.
    """
    app.add_middleware(Gate, keeper=keeper)
    app.add_middleware(BodyLimit)
    app.add_middleware(LastResort)
    app.add_middleware(Witness, trail=trail)
    app.add_middleware(SecurityHeaders)
    app.include_router(login_router(keeper))
