"""Contacts and opt-outs over HTTP, and the answer to what a person writes; real processes."""

import time

from admin_api.auth.roles import Role
from antrian.broker.event_log import write_events
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook
from antrian.domain import contact_event
from antrian.domain.opt_out import read_wish
from antrian.operations.contacts.opt_outs import OptOuts
from waiting import wait_until

BUDI, MASKED = "+6281234567890", "+62 812-••••-7890"


def test_opt_outs_are_recorded_by_operators_seen_masked_by_viewers_and_taken_back(admin, lane):
    operator, viewer = admin.client(Role.OPERATOR, "ani"), admin.client(Role.VIEWER, "wati")
    asked = {"phone_number": "0812 3456 7890", "words": "stop, balas ke 081234567890"}
    made = operator.ask("POST", "/optouts", json=asked)
    assert (made.status_code, made.json()["purpose"]) == (201, "marketing")
    # At once, in the same process: nobody may be told that it is not there.
    (row,) = operator.get("/optouts")["items"]
    assert (row["phone_number"], row["by"], row["channel"], row["words"]) == (BUDI, "api:ani", "api", asked["words"])
    masked = viewer.get("/optouts")
    assert (masked["items"][0]["phone_number"], masked["total"]) == (MASKED, 1)
    assert "4567" not in viewer.ask("GET", "/optouts").text
    assert [viewer.get("/optouts", phone_number=number)["total"] for number in ("081234567890", "081299998888")] == [
        1,
        0,
    ]
    shown = viewer.ask("GET", "/contacts/081234567890")
    assert "4567" not in shown.text
    assert [one["purpose"] for one in shown.json()["opt_outs"]] == ["marketing"]
    for wrong, code in (("12", "phone-number-too-short"), ("081234567890", "unknown-purpose")):
        answer = operator.ask("POST", "/optouts", json={"phone_number": wrong, "purpose": "gambling"})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert operator.get("/optouts")["total"] == 1
    refused = operator.ask("DELETE", f"/optouts/{BUDI}?purpose=reminder")
    assert (refused.status_code, refused.json()["code"]) == (404, "not-opted-out")
    assert operator.ask("DELETE", f"/optouts/{BUDI}").json()["opted_out"] is False
    assert operator.get("/optouts") == {"items": [], "total": 0, "next_cursor": None}
    told = wait_until(
        lambda: [one for one in admin.client(Role.ADMIN).get("/audit")["items"] if "optouts" in str(one)] or None,
        10,
        "it is on record",
    )
    assert "4567" not in str(told)

    sender = operator.get(f"/contacts/{BUDI}")["senders"][0]["sender"]
    events = [
        contact_event.known(sender, [BUDI], "receipt", at=1_000.0, source="test", timezone="Asia/Makassar"),
        contact_event.linked(BUDI, {"lid": "99887766554433"}, at=1_000.0, source="test"),
    ]
    write_events(lane.amqp_urls, Names(lane.whatsapp_queue_namespace), events, name="test")
    known = wait_until(
        lambda: found if (found := operator.get(f"/contacts/{BUDI}"))["identities"]["lid"] else None, 10, "both came"
    )
    assert (known["timezone"], known["senders"][0]["standing"], known["senders"][0]["since"]) == (
        "Asia/Makassar",
        "known",
        1_000.0,
    )
    assert operator.get(f"/contacts/{BUDI}", lane="default")["senders"] == known["senders"]
    assert operator.ask("GET", f"/contacts/{BUDI}?lane=other").status_code == 404
    assert "99887766" not in viewer.ask("GET", f"/contacts/{BUDI}").text


def test_a_person_who_writes_a_word_is_opted_out_and_answered_once(lane, publisher, consumer, arrivals):
    book = ContactBook()
    outs = OptOuts(lane.amqp_urls, Names(lane.whatsapp_queue_namespace), book)

    def write(text):
        # What the server for webhooks writes down; the answer is not its own.
        if (wish := read_wish(text)) is not None:
            outs.add(BUDI, wish.purpose, words=text.strip(), by=BUDI, channel="inbound", source="test")
        return outs.answer_inbound(BUDI, text, publisher=publisher, lane="default", at=time.time())

    assert write("can I stop by tomorrow?") is None
    for _ in range(2):
        assert write("  Stop! ").purpose == "marketing"
    assert book.opted_out(BUDI) == {"marketing"}
    assert book.show(BUDI).opt_outs[0].words == "Stop!"
    assert book.show(BUDI).opt_outs[0].channel == "inbound"
    publisher.queue_message(BUDI, "an advertisement", purpose="marketing")
    publisher.queue_message(BUDI, "the end")
    consumer(WHATSAPP_QUEUE_DELAY="0")
    texts = arrivals.wait_for(2, 30)
    assert "STOP SEMUA" in texts[0]
    assert texts[1] == "the end"
