"""Urgent means now, on every way in: the present pause ends, and the full delay follows."""

from datetime import UTC, datetime, timedelta

import pytest

from admin_api.auth.roles import Role
from waiting import wait_until

PHONE = "081234567890"
#: Nothing waits for the end of this pause: whatever arrives within the test's time was let through by its bell.
LONG = "300"


@pytest.fixture
def ways(publisher, admin, cli, stock, tmp_path):
    """Every way in by which an urgent message may come, by the text that arrives."""
    operator, service = admin.client(Role.OPERATOR), admin.client(Role.PUBLISHER)
    stock.add_dead("edited")
    stock.add_dead("again", "many", priority=10)
    wait_until(lambda: operator.get("/failed")["total"] == 3, 10, "the dead letters are known")
    file = tmp_path / "messages.csv"
    file.write_text(f"phone_number,message,priority\n{PHONE},import,urgent\n")

    def message(text: str, priority: str = "urgent") -> dict[str, str]:
        return {"phone_number": PHONE, "message": text, "priority": priority}

    return {
        "queue_messages": lambda: list(publisher.queue_messages([message("queue_messages")])),
        "messages": lambda: service.post("//messages", message("messages")),
        "batch": lambda: service.post("//messages/batch", {"messages": [message("batch")]}),
        "send-test": lambda: operator.post("/send-test", message("send-test")),
        "text edited": lambda: operator.post("/failed/edited/redrive", {"priority": "urgent"}),
        "text again": lambda: operator.post("/failed/again/redrive"),
        "text many": lambda: operator.post("/failed/redrive", {"ids": ["many"]}),
        "publish": lambda: cli.say("publish", PHONE, "publish", "--priority", "urgent"),
        "import": lambda: cli.say("import", str(file)),
    }


def test_an_urgent_message_is_sent_at_once_whichever_way_it_comes(consumer, publisher, arrivals, ways):
    consumer(WHATSAPP_QUEUE_DELAY=LONG)
    publisher.queue_message(PHONE, "normal 0")
    publisher.queue_message(PHONE, "normal 1")
    arrivals.wait_for(1, 10)
    for number, (text, publish) in enumerate(ways.items(), 2):
        publish()
        assert arrivals.wait_for(number, 20)[-1] == text
    assert "normal 1" not in arrivals.texts()


def test_a_later_urgent_message_and_an_urgent_retry_ring_when_they_are_due(consumer, publisher, arrivals):
    consumer(WHATSAPP_QUEUE_DELAY="8", WHATSAPP_QUEUE_RETRY_DELAYS="2")
    publisher.queue_message(PHONE, "normal 0")
    publisher.queue_message(PHONE, "normal 1")
    arrivals.wait_for(1, 10)
    publisher.queue_message("081234569003", "fails twice", priority="urgent")
    arrivals.wait_for(2, 7)
    due = datetime.now(UTC) + timedelta(seconds=3)
    publisher.queue_message(PHONE, "later", priority="urgent", deliver_at=due)

    texts = arrivals.wait_for(6, 30)
    assert (texts[0], texts[-1]) == ("normal 0", "normal 1")
    assert sorted(texts[1:-1]) == ["fails twice"] * 3 + ["later"]
    *gaps, last = arrivals.gaps()
    assert max(gaps) < 8 <= last
    assert arrivals.times()[texts.index("later")] >= due.timestamp() - 0.05
