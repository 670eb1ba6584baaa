"""What becomes of messages by their receipts, through every process of `antrian up`."""

import json
import signal

import pytest
import requests
from antrian_process import run_antrian
from up_process import Up

from publisher import Publisher
from waiting import wait_until

#: By the last digits of the number: how often it was sent, its state, and how it was delivered.
EXPECTED = {
    "7890": (1, "sent", "read"),
    "9007": (1, "sent", "read"),  # the answer was lost: its receipt proves the send
    "9011": (1, "sent", "read"),  # late
    "9012": (1, "sent", "read"),  # twice
    "9013": (1, "sent", "read"),  # in the wrong order
    "9014": (1, "sent", "handed_over"),  # none
    "9015": (1, "dead", "failed"),
    "9016": (2, "sent", "read"),  # failed for now
    "9017": (1, "dead", "delivered"),  # failed, and delivered after all
}


@pytest.fixture
def up(settings, tmp_path):
    # An attempt without an answer is looked at again when the wait for its receipt is over.
    ours = Up(settings, tmp_path, WHATSAPP_QUEUE_DELAY="0.2", WHATSAPP_QUEUE_RECEIPT_WAIT="10")
    try:
        wait_until(lambda: "Kill the consumer" in ours.text(), 60, "everything runs")
        yield ours
    finally:
        ours.process.send_signal(signal.SIGINT)
        ours.process.wait(120)


def test_every_receipt_leads_to_its_end_and_nothing_is_sent_twice(up, settings):
    requests.post(f"{up.sandbox_url}/_sandbox/mode", json={"mode": "ok", "seconds": 1}, timeout=60)
    with Publisher(settings, source="test") as publisher:
        for ending in EXPECTED:
            publisher.queue_message(f"+628123456{ending}", ending)

    def found():
        listed = requests.get(f"{up.sandbox_url}/_sandbox/requests", timeout=60).json()
        texts = [one["message"] for one in listed]
        done = run_antrian(["history", "search", "--json"], env=up.environment)
        messages = json.loads(done.stdout)["messages"] if done.returncode == 0 else []
        return {one["text"]: (texts.count(one["text"]), one["state"], one["delivery"]) for one in messages}

    last = {}

    def are_right():
        last.update(found())
        return last == EXPECTED

    try:
        wait_until(are_right, 90, "every message has come to its end", every=1)
    finally:
        print({text: one for text, one in last.items() if one != EXPECTED.get(text)})  # noqa: T201 (of a test that failed)
