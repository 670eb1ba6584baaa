"""Who may do what: every address with every role. A new address without a row here fails."""

import pytest
from admin import AdminServer
from factories import make_settings
from fastapi.routing import iter_route_contexts

from admin_api.app import create_app
from admin_api.auth.roles import Role
from admin_api.auth.urls import PREFIX
from admin_api.dependencies import no_services

V, OP, A, P = Role.VIEWER, Role.OPERATOR, Role.ADMIN, Role.PUBLISHER
MAY = {V: {V, OP, A}, OP: {OP, A}, A: {A}, P: {P}}

#: Open to everybody.
OPEN = {
    "GET /",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET {p}/login",
    "POST {p}/login",
    "GET {p}/language/{language}",
    "GET {p}/strings/{language}.js",
}

#: The least role, and a body to try it with. Pages are tried like everything else.
ROWS = {
    "GET {p}/status": (V, None),
    "POST {p}/pause": (OP, None),
    "POST {p}/resume": (OP, None),
    "POST {p}/force-process": (OP, None),
    "POST {p}/try-one": (OP, None),
    "POST {p}/holds/release": (OP, {"reason": "window"}),
    "POST {p}/clear": (A, None),
    "GET {p}/undo": (V, None),
    "POST {p}/undo/{undo_id}": (A, None),
    "POST {p}/send-test": (OP, {"phone_number": "081234567890", "message": "Halo"}),
    "POST {p}/simulate": (OP, None),
    "GET {p}/numbers": (OP, None),
    "GET {p}/plan": (V, None),
    "GET {p}/planning": (V, None),
    "GET {p}/opt-outs": (V, None),
    "GET {p}/contact/{number:path}": (V, None),
    "GET {p}/holds": (V, None),
    "POST {p}/plan": (OP, {"phone_numbers": ["081234567890"]}),
    "GET {p}/failed": (V, None),
    "GET {p}/failed/export": (A, None),
    "POST {p}/failed/redrive": (OP, {"filter": {}, "dry_run": True}),
    "GET {p}/failed/{message_id:path}": (V, None),
    "POST {p}/failed/{message_id:path}/redrive": (OP, {}),
    "POST {p}/failed/{message_id:path}/note": (OP, {"note": "x"}),
    "DELETE {p}/failed": (A, {"ids": ["nobody"]}),
    "GET {p}/jobs": (V, None),
    "GET {p}/jobs/{job_id}": (V, None),
    "POST {p}/jobs/{job_id}/cancel": (OP, None),
    "GET {p}/messages": (V, None),
    "GET {p}/messages/export": (A, None),
    "GET {p}/sources": (V, None),
    "GET {p}/messages/{message_id:path}": (V, None),
    "POST {p}/messages/{message_id:path}/cancel": (OP, None),
    "POST {p}/messages/{message_id:path}/uncancel": (OP, None),
    "GET {p}/waiting/counts": (V, None),
    "GET {p}/contacts/{number}": (V, None),
    "GET {p}/optouts": (V, None),
    "POST {p}/optouts": (OP, {"phone_number": "081234567890"}),
    "DELETE {p}/optouts/{number}": (OP, None),
    "POST {p}/imports": (OP, None),
    "GET {p}/imports/{import_id}": (OP, None),
    "GET {p}/imports/{import_id}/errors": (OP, None),
    "POST {p}/imports/{import_id}/queue": (OP, None),
    "DELETE {p}/imports/{import_id}": (OP, None),
    "GET {p}/analytics": (V, None),
    "GET {p}/analytics/report": (V, None),
    "GET {p}/analytics/report.csv": (V, None),
    "GET {p}/audit": (A, None),
    "GET {p}/audit/actors": (A, None),
    "GET {p}/notices": (V, None),
    "GET {p}/doctor": (V, None),
    "GET {p}/me": (V, None),
    "GET {p}/events": (V, None),
    "POST /messages": (P, {"phone_number": "081234567890", "message": "Halo"}),
    "POST /messages/batch": (P, {"messages": [{"phone_number": "081234567890", "message": "Halo"}]}),
    "GET {p}": (V, None),
    "GET {p}/": (V, None),
    "GET {p}/desk": (V, None),
    "GET {p}/desk/{message_id:path}": (V, None),
    "GET {p}/message/{message_id:path}": (V, None),
    "GET {p}/search": (V, None),
    "GET {p}/report": (V, None),
    "GET {p}/waiting": (V, None),
    "GET {p}/import": (OP, None),
    "GET {p}/activity": (V, None),
    "GET {p}/health": (V, None),
}

#: Whoever is logged in may log out; strangers are sent away like anywhere else.
EVERYBODY = {"POST {p}/logout"}


def all_routes() -> set[str]:
    contexts = [one for one in iter_route_contexts(create_app(no_services(make_settings())).routes) if one.methods]
    return {
        f"{method} {one.path.replace(PREFIX, '{p}')}"
        for one in contexts
        for method in one.methods - {"HEAD"}
        if one.path != "/openapi.json"
    }


def test_every_address_has_a_row():
    assert all_routes() == OPEN | EVERYBODY | set(ROWS)


@pytest.mark.parametrize("role", [None, V, OP, A, P])
def test_a_role_may_do_what_its_rows_say_and_nothing_else(admin: AdminServer, role):
    client = admin.client(role)
    wrong = {}
    for row, (needed, body) in ROWS.items():
        method, path = row.split(" ")
        address = path.replace("{p}", "") if path.startswith("{p}") else f"/{path}"
        for name in ("undo_id", "job_id", "import_id", "message_id:path"):
            address = address.replace(f"{{{name}}}", "nobody")
        answer = client.ask(method, address, json=body, stream=True, headers={"Accept": "application/json"})
        answer.close()
        if role is None:
            fits = answer.status_code == 401
        else:
            fits = (answer.status_code == 403) == (role not in MAY[needed]) and answer.status_code != 401
        if not fits or answer.status_code >= 500:
            wrong[row] = answer.status_code
    assert wrong == {}


def test_without_any_token_nobody_gets_in(admin: AdminServer):
    assert not admin.settings.tokens_file.exists()
    answer = admin.client(None).ask("GET", "/status")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
