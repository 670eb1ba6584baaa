"""All of access control around an app, in the only right order."""

from fastapi import FastAPI

from admin_api.auth.audit_middleware import AuditMiddleware, RecordsAudit
from admin_api.auth.auth_middleware import AuthMiddleware
from admin_api.auth.authentication import Authenticator
from admin_api.auth.body_limit import BodyLimit
from admin_api.auth.headers import SecurityHeaders
from admin_api.auth.login import login_router
from admin_api.problems import LastResort


def guard_app(app: FastAPI, keeper: Authenticator, trail: RecordsAudit) -> None:
    """Close an app. Call it after `problems.install`, and before the pages' routes are included.

    Outermost first: headers, witness, last resort, body limit, gate, and then what `problems.install` added.

    Args:
        app: of the admin side.
        keeper: knows tokens and sessions.
        trail: where every action goes on record.
    """
    app.add_middleware(AuthMiddleware, keeper=keeper)
    app.add_middleware(BodyLimit)
    app.add_middleware(LastResort)
    app.add_middleware(AuditMiddleware, trail=trail)
    app.add_middleware(SecurityHeaders)
    app.include_router(login_router(keeper))
