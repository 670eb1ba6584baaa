"""The demo's rows: how a message is sent, delivered and read, whatever order its events come in."""

from dataclasses import replace

from antrian.domain.events import Event
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, correlation_of, reported
from antrian.up.demo_view import summary
from antrian.up.scenario import follow, is_followed, is_over, registrations


def receipt(status):
    told = DeliveryReceipt(status=ReceiptStatus(status), correlation_id=correlation_of("m1", 1, 1))
    return reported(told, lane="default", provider="sandbox", sender="s", at=5, source="receipts")


def rows_after(*events):
    rows = [replace(one, message_id=f"m{place}") for place, one in enumerate(registrations(), start=1)]
    for event in events:
        rows = follow(rows, event)
    return rows


SENT = Event("outcome.sent", 4, "default", "m1", attempt=1)


def test_receipts_only_rise():
    assert [rows_after(SENT)[0].told, rows_after(SENT, receipt("sent"))[0].told] == ["sent", "sent"]
    assert rows_after(SENT, receipt("read"), receipt("delivered"), receipt("failed"))[0].told == "read"
    assert rows_after(receipt("delivered"), SENT)[0].told == "delivered"
    assert rows_after(SENT, receipt("failed"), receipt("delivered"))[0].told == "delivered"
    assert {row.told for row in rows_after(SENT, receipt("read"))[1:]} == {"not yet registered"}


def test_a_message_is_followed_until_nothing_more_can_come():
    [row, *_] = rows_after(SENT)

    assert (is_over([row]), is_followed([row])) == (True, False)
    assert is_followed(rows_after(SENT, receipt("read"))[:1])
    assert is_followed(rows_after(Event("outcome.dead", 4, "default", "m1", attempt=1))[:1])


def test_summary_counts_what_arrived():
    rows = [replace(row, arrived_at=float(place)) for place, row in enumerate(rows_after(SENT, receipt("delivered")))]

    assert summary(rows, 1).endswith(
        "the gaps were 1.000, 1.000, 1.000, 1.000 s. 1 were delivered, and 0 of them read."
    )
