import asyncio
import json
from dataclasses import replace

import pytest
from asgi_call import ask, call, make_app
from factories import PHONE
from pydantic import SecretStr
from signed_reader import READER, SECRET, inbound_body, path, signed, status_body

from antrian.domain.lane import Lane
from antrian.receipts.app import EVENTS_AT_ONCE, MOST_PARTS, ClientLimits
from antrian.receipts.event_writer import Written


def post(app, body, **more):
    return ask(app, path(), body, signed(body), **more)


@pytest.mark.parametrize(
    ("result", "status"), [(Written.AWAY, 503), (Written.LATE, 503), (Written.REFUSED, 503), (Written.CONFIRMED, 200)]
)
def test_the_provider_repeats_whatever_is_not_confirmed(result, status):
    app, writer = make_app()
    writer.result = result
    body = status_body("one")
    assert post(app, body).status == status
    writer.result = Written.CONFIRMED
    assert post(app, body).status == 200
    assert len(writer.batches) == (2 if status == 503 else 1), "only what was confirmed is known when it is repeated"


def test_all_events_of_a_request_are_one_batch_and_must_reach_a_queue():
    app, writer = make_app()
    answer = post(app, status_body("one", "two", correlation_id="m-1:0:1"))
    assert (answer.status, answer.body) == (200, b"")
    [batch] = writer.batches
    assert [one.routing_key for one in batch] == ["receipt.status.default.m-1"] * 2
    assert all(one.mandatory and one.properties.headers["CC"] == ["outcome.receipt.default.m-1"] for one in batch)
    assert [event.details["sender"] for event in writer.events] == ["sandbox::"] * 2


def test_a_reader_that_breaks_proves_nothing_and_loses_nothing():
    def breaks(*_):
        raise RuntimeError("text of a stranger")

    body = status_body("one")
    app, writer = make_app(replace(READER, verify=breaks, challenge=breaks))
    assert [post(app, body).status, ask(app, path(), method="GET").status, len(writer.batches)] == [401, 401, 0]
    app, writer = make_app(replace(READER, read=breaks, repeat_key=breaks))
    assert [post(app, body).status, post(app, body).status] == [200, 200]
    assert [event.details["raw"] for event in writer.events] == [body.decode()] * 2


def test_what_asks_for_too_much_is_refused():
    app, writer = make_app(
        replace(READER, content_types=frozenset({"application/json"})), limits=ClientLimits(body_seconds=0.01)
    )
    body = status_body("one")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask(app, path(), body, signed(body) | form).status == 415
    assert ask(app, path(), [b"x" * 600_000, b""], signed(b"")).status == 413
    assert ask(app, path(), b"", signed(b"") | {"Content-Length": "9" * 30}).status == 413
    assert ask(app, path(), b"{", signed(b""), ends=False).status == 408
    assert ask(app, path(), method="BREW").status == 405
    assert not writer.batches
    assert ask(app, path(), [body[:9], b"", body[9:]], signed(body)).status == 200


def test_only_so_many_requests_are_under_way_at_once():
    app, writer = make_app(limits=ClientLimits(most_in_flight=2, body_seconds=5))
    body = status_body("one")

    async def crowd() -> list[int]:
        slow = [asyncio.create_task(call(app, path(), b"", signed(b""), ends=False)) for _ in range(2)]
        await asyncio.sleep(0)
        statuses = [(await call(app, path(), body, signed(body))).status]
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return [*statuses, (await call(app, path(), body, signed(body))).status]

    assert asyncio.run(crowd()) == [503, 200]
    assert app.in_flight == 0
    assert len(writer.batches) == 1


def test_a_flood_of_forgeries_is_slowed_down_and_does_not_keep_out_what_is_proved():
    app, writer = make_app()
    wrong = [ask(app, "/receipts/default/guess", client="192.0.2.7").status for _ in range(100)]
    assert set(wrong) == {404, 429}
    assert wrong[0] == 404
    assert wrong[-1] == 429
    forged = ask(app, path(), b"{}", signed(b"{}", "wrong"), client="192.0.2.7")
    assert (forged.status, forged.headers[b"connection"]) == (429, b"close")
    assert ask(app, path(), b"{}", signed(b"{}", "wrong"), client="192.0.2.8").status == 401
    assert post(app, status_body("one"), client="192.0.2.7").status == 200
    assert len(writer.batches) == 1


def test_an_unknown_lane_and_a_wrong_secret_look_the_same():
    app, _ = make_app()
    wrong = ["/receipts/default/" + "0" * 32, path("nobody"), path() + "/", path() + "x", "/receipts/default", "/", ""]
    assert {(one.status, one.body, *one.headers.items()) for one in (ask(app, where) for where in wrong)} == {
        (404, b"", (b"content-length", b"0"))
    }


def test_each_current_secret_counts_with_its_own_address():
    lane = Lane(
        name="default", provider="sandbox", webhook_secrets=(SecretStr("an-older-secret"), SecretStr("a-newer-secret"))
    )
    app, writer = make_app(lane=lane)
    for number, secret in enumerate(("an-older-secret", "a-newer-secret")):
        body = status_body(str(number))
        assert ask(app, path(secret=secret), body, signed(body, secret)).status == 200
    assert ask(app, path(secret=SECRET), b"").status == 404
    assert len(writer.batches) == 2
    assert app.webhooks.by_lane["default"].urls("https://x") == tuple(
        f"https://x{path(secret=secret)}" for secret in ("an-older-secret", "a-newer-secret")
    )


@pytest.mark.parametrize(
    ("text", "preference", "expected"),
    [
        ("STOP", "", ("contact.opted_out", "marketing")),
        ("berhenti semua", "stop", ("contact.opted_out", "all")),
        ("", "stop", ("contact.opted_out", "marketing")),
        ("mulai", "", ("contact.opted_in", "all")),
        ("stop", "start", ("contact.opted_in", "all")),
        ("can I stop by tomorrow?", "", None),
    ],
)
def test_a_wish_is_recorded_as_it_was_said(text, preference, expected):
    app, writer = make_app()
    assert post(app, inbound_body(PHONE, text, preference=preference)).status == 200
    wishes = [(one.name, one.details["purpose"]) for one in writer.events if one.name.startswith("contact.opted")]
    assert wishes == ([expected] if expected else [])
    assert [one.details["how"] for one in writer.events if one.name == "contact.known"] == ["inbound"]


def test_a_writer_that_cannot_be_anyone_is_nobody():
    app, writer = make_app()
    parts = [
        {"kind": "inbound", "recipient": recipient, "text": "stop", "identities": identities}
        for recipient, identities in (("", {}), ("x" * 200, {}), (7, {}), (PHONE, {"lid": "", "name": "x"}))
    ]
    assert post(app, json.dumps({"told": parts}).encode()).status == 200
    assert [one.name for one in writer.events if one.name.startswith("contact")] == [
        "contact.opted_out", "contact.known"
    ]  # fmt: skip


def test_the_url_that_a_provider_signs_is_the_public_one_whatever_a_proxy_says():
    seen = []

    def verify(request, *_):
        seen.append(request)
        return True

    app, _ = make_app(replace(READER, verify=verify))
    headers = [(b"host", b"evil.example"), (b"x-twice", b"1"), (b"x-twice", b"2"), (b"x-forwarded-host", b"evil")]
    assert ask(app, path(), b"{}", headers, query=b"a=1%202&b=&a=%ff").status == 200
    [request] = seen
    assert request.url == f"https://wa.example.com{path()}?a=1%202&b=&a=%ff"
    assert request.query == (("a", "1 2"), ("b", ""), ("a", "\ufffd"))
    assert request.header("X-Twice") == "1"


def test_a_lane_that_is_taken_out_in_the_middle_of_a_request_is_finished():
    app, writer = make_app()
    body = status_body("one")

    async def change() -> int:
        asking = asyncio.create_task(call(app, path(), [b"", body], signed(body)))
        await asyncio.sleep(0)
        app.metrics.serve_lanes({})
        return (await asking).status

    assert asyncio.run(change()) == 200
    assert len(writer.batches) == 1


def test_nothing_that_is_secret_or_personal_is_in_what_is_printed_of_a_request():
    seen = []
    app, _ = make_app(replace(READER, verify=lambda request, *_: not seen.append(request)))
    assert post(app, inbound_body(PHONE, "private words")).status == 200
    printed = f"{seen} {app.webhooks.by_lane}"
    assert not [private for private in (SECRET, path().split("/")[3], PHONE, "private words") if private in printed]


def test_a_request_of_very_many_parts_is_taken_and_not_repeated_for_ever():
    app, writer = make_app()
    assert post(app, status_body(*map(str, range(MOST_PARTS + 500)))).status == 200
    told = writer.events
    assert (len(told), told[-1].name) == (MOST_PARTS + 1, "receipt.unreadable")
    assert max(map(len, writer.batches)) <= EVENTS_AT_ONCE, "each batch has the patience of one"
