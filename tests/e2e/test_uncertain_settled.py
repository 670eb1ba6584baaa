"""An attempt without an answer: its receipt settles it, even after kill -9; without one the setting decides.

And the words of a gateway on its sender, which hold the lane.
"""

import time

from antrian.broker.event_log import write_events
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, SessionNotice, SessionState, correlation_of, reported
from waiting import wait_until

#: Seconds that an attempt without an answer waits for its receipt.
WAIT = 8

SETTINGS = {
    "WHATSAPP_WEBHOOK_SECRET": "a secret of this test",
    "WHATSAPP_QUEUE_RECEIPT_WAIT": str(WAIT),
    "WHATSAPP_QUEUE_ON_UNCERTAIN": "dead-letter",
    "WHATSAPP_QUEUE_DELAY": "0.5",
}


def test_a_receipt_settles_an_attempt_without_an_answer_and_without_one_the_setting_decides(
    consumer, lane, publisher, arrivals, records
):
    def tell(message_id, provider_id):
        """As the receipts server does."""
        receipt = DeliveryReceipt(
            status=ReceiptStatus.DELIVERED, provider_id=provider_id, correlation_id=correlation_of(message_id, 0, 1)
        )
        event = reported(
            receipt, lane="default", provider="sandbox", sender="lane:default", at=time.time(), source="receipts"
        )
        write_events(lane.amqp_urls, records.names, [event], name="test receipts")

    ours = consumer(**SETTINGS)
    dropped = publisher.queue_message("081234569007", "the answer is lost").message_id
    arrivals.wait_for(1, 20)
    tell(dropped, "p1")
    killed = publisher.queue_message("081234569006", "the consumer is lost").message_id
    arrivals.wait_for(2, 20)
    ours.kill()
    tell(killed, "p2")
    ours.started()
    unproved = publisher.queue_message("081234569007", "no receipt comes").message_id
    arrivals.wait_for(3, 20)

    sent = {event.message_id: event for event in records.wait_for_event("outcome.sent", timeout=60, count=2)}
    assert sent.keys() == {dropped, killed}
    assert {event.details["settled_by"] for event in sent.values()} == {"receipt"}
    assert [sent[one].details["provider_id"] for one in (dropped, killed)] == ["p1", "p2"]
    [(properties, _)] = records.wait_for_dead_letters(1, timeout=60)
    assert properties.message_id == unproved
    [failed] = [event for event in records.events("outcome.failed") if event.message_id == unproved]
    [dead] = records.events("outcome.dead")
    assert dead.at - failed.at >= WAIT - 0.1
    assert arrivals.texts() == ["the answer is lost", "the consumer is lost", "no receipt comes"]
    assert min(arrivals.gaps()) >= 0.5


def test_a_sender_that_must_scan_a_code_sends_nothing_until_it_is_back(consumer, lane, publisher, arrivals, records):
    def tell(state):
        notice = reported(
            SessionNotice(state=state), lane="default", provider="sandbox", sender="", at=time.time(), source="receipts"
        )
        write_events(lane.amqp_urls, records.names, [notice], name="test receipts")

    ours = consumer(WHATSAPP_QUEUE_DELAY="0.2")
    tell(SessionState.NEEDS_QR)
    wait_until(lambda: "the sender must scan a QR code" in ours.log(), 20, "the log says what is to be done")
    publisher.queue_message("081234567890", "later")
    wait_until(lambda: '"reason": "needs_qr"' in ours.log(), 20, "the lane waits for that")
    assert arrivals.texts() == []
    tell(SessionState.CONNECTED)
    assert arrivals.wait_for(1, 20) == ["later"]
