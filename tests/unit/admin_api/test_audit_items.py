"""What people did, as it is told."""

import pytest

from admin_api.audit_items import message_id, verdict

PREFIX = "/admin/whatsapp-queue"
ID = "52c16ab8-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("POST /pause", 200, "done"),
        ("POST /failed/redrive", 202, "done"),
        ("POST /failed/redrive", 200, "looked_at"),
        ("POST /send-test", 422, "refused"),
        ("POST /send-test", 503, "failed"),
        ("POST /failed/{message_id:path}/redrive", 409, "too_late"),
        ("POST /undo/{undo_id}", 404, "too_late"),
        ("POST /login", 303, "done"),
    ],
)
def test_only_what_was_done_is_told_as_done(action, status, expected):
    assert verdict("audit.allowed", {"action": action, "status": status}) == expected


def test_a_dry_run_is_not_told_as_done():
    assert verdict("audit.allowed", {"action": "POST /clear", "status": 200, "dry_run": True}) == "looked_at"


def test_what_was_denied_stays_denied_and_nonsense_breaks_nothing():
    assert verdict("audit.denied", {"action": "POST /pause", "status": 403}) == "denied"
    assert verdict("audit.allowed", {"status": "often"}) == "done"
    assert verdict("audit.allowed", {}) == "done"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f"{PREFIX}/failed/{ID}/redrive", ID),
        (f"{PREFIX}/failed/{ID}/note", ID),
        (f"{PREFIX}/messages/{ID}/cancel", ID),
        (f"{PREFIX}/messages/some/odd id/cancel", "some/odd id"),
        (f"{PREFIX}/failed/redrive", None),
        (f"{PREFIX}/jobs/{ID}/cancel", None),
        (f"{PREFIX}/pause", None),
        (None, None),
    ],
)
def test_an_action_on_one_message_is_known_by_its_address(target, expected):
    assert message_id({"target": target}) == expected
