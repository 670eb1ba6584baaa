"""What goes on record, and what of it is private."""

import pytest
from auth_app import House

from admin_api.auth.audit_entry import ANONYMOUS, AuditEntry, without_secrets
from admin_api.auth.audit_limit import AuditLimit
from admin_api.auth.urls import LOGIN, PREFIX
from antrian.domain.events import Event


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def line(entry):
    return (entry.event().name, entry.actor, entry.role, entry.action, entry.status)


def test_what_was_done_is_on_record_with_who_did_it(house):
    house.visitor(house.token("admin", "ani")).post("undo/u1?why=secret")
    [entry] = house.entries
    assert line(entry) == ("audit.allowed", "api:ani", "admin", "POST /undo/{undo_id}", 200)
    assert entry.target == f"{PREFIX}/undo/u1"
    event = Event.decode(entry.event().encode())
    assert event.source == "api:ani"
    assert set(event.details) == {"action", "role", "status", "target", "why"}


def test_what_was_refused_is_on_record_with_the_reason(house):
    house.visitor(house.token("viewer", "guest")).post("pause")
    [entry] = house.entries
    assert line(entry) == ("audit.denied", "api:guest", "viewer", "POST /pause", 403)
    assert "operator" in entry.why
    assert entry.event().details["address"] == "127.0.0.1"


def test_what_failed_for_another_reason_was_allowed(house):
    house.visitor(house.token()).post("clear", json={})
    assert line(house.entries[0])[0::4] == ("audit.allowed", 422)


def test_a_forged_request_of_a_browser_is_on_record(house):
    house.browser("admin").post("pause")
    assert line(house.entries[-1]) == ("audit.denied", "web:admin", "admin", "POST /pause", 403)


def test_a_strangers_attempt_is_on_record(house):
    house.visitor().post("pause")
    assert line(house.entries[0]) == ("audit.denied", ANONYMOUS, "", "POST /pause", 401)


def test_reading_is_not_on_record_but_exports_and_wrong_tokens_are(house):
    admin = house.visitor(house.token("admin", "ani"))
    admin.get("me")
    assert house.entries == []
    admin.get("failed/export?format=csv")
    house.visitor("wrong").get("me")
    assert [line(entry)[0] for entry in house.entries] == ["audit.allowed", "audit.denied"]


def test_logins_are_on_record_the_wrong_ones_too_and_never_their_tokens(house):
    house.browser("operator")
    house.visitor().post(LOGIN, data={"token": "antrian_00000000_guess"})
    house.visitor().get(f"{LOGIN}?once=guess")
    assert [line(entry)[:2] for entry in house.entries] == [
        ("audit.allowed", "web:operator"),
        ("audit.denied", ANONYMOUS),
        ("audit.denied", ANONYMOUS),
    ]
    assert "guess" not in "".join(entry.event().encode().decode() for entry in house.entries)


def test_what_is_published_is_its_own_record_and_only_its_refusal_is_one_more(house):
    house.visitor(house.token("publisher")).post("/messages")
    assert house.entries == []
    house.visitor(house.token("viewer")).post("/messages")
    assert line(house.entries[0])[3:] == ("POST /messages", 403)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/a/0195a3f0-1111-2222-3333-444455556666", "/a/0195a3f0-1111-2222-3333-444455556666"),
        ("/a/12345678-1234-1234-1234-123456789012/redrive", "/a/12345678-1234-1234-1234-123456789012/redrive"),
        ("/a/6281234567890", "/a/…"),
        ("/a/+62 812-3456-7890", "/a/…"),
        ("/a/%2B62 (812) 3456", "/a/…"),
        ("/a/invoice-081234567890-x", "/a/invoice-…-x"),
        ("/a/antrian_00000000_secret", "/a/…"),
        ("/a/\n\x1b[31m", "/a/??[31m"),
        ("/a/42", "/a/42"),
    ],
)
def test_no_number_and_no_token_is_left_of_an_address(path, kept):
    assert without_secrets(path) == kept


def test_an_endless_address_is_cut():
    assert len(without_secrets("/x" * 5000)) == 200


def test_an_invented_method_is_not_repeated(house):
    house.visitor(house.token()).ask("GUESS", "pause")
    assert house.entries[0].action.startswith("OTHER ")


def entry(actor=ANONYMOUS, at=0.0):
    return AuditEntry(at, actor, "", "POST /pause", "/pause", 401)


def test_of_a_flood_of_strangers_one_a_second_is_written_and_the_others_are_counted():
    limit = AuditLimit()
    written = [one for tick in range(1001) for one in limit.passing(entry(at=tick), tick / 100)]
    assert len(written) <= 11
    written += limit.overdue(11.0, is_last=True)
    assert sum(1 + one.more for one in written) == 1001
    assert list(limit.overdue(99.0)) == []


def test_the_last_of_a_flood_is_written_without_another_one():
    limit = AuditLimit()
    assert [one.more for one in limit.passing(entry(), 0.0)] == [0]
    for _ in range(5):
        assert list(limit.passing(entry(), 0.1)) == []
    assert list(limit.overdue(0.9)) == []
    assert [one.more for one in limit.overdue(1.0)] == [4]


def test_known_actors_are_never_left_out():
    limit = AuditLimit()
    assert sum(len(list(limit.passing(entry(actor="api:ani"), 0.0))) for _ in range(100)) == 100
