"""What a consumer does with messages that it cannot read yet, or that come before their time."""

import json
import time
from datetime import UTC, datetime

import pika
import pytest
from factories import make_event, make_message
from fake_connection import PaperLane

from antrian.domain.body import NEWEST_VERSION
from antrian.domain.errors import NewerVersion
from antrian.domain.message import message_id_of
from consumer.set_aside import FIRST_WAIT, LONGEST_WAIT, SetAside, wait_after

NEWER = json.dumps({"version": NEWEST_VERSION + 1, "to": "somebody"}).encode()


def names(lane: PaperLane) -> list[tuple[str, str]]:
    return [(event.name, event.message_id) for event in lane.stream if event.name != "outcome.barrier"]


def aside(headers=None, **properties) -> SetAside:
    return SetAside.of(NEWER, pika.BasicProperties(headers=headers, **properties), NewerVersion(3, 2))


def test_a_newer_message_waits_on_the_ladder_and_the_next_one_goes_out():
    lane = PaperLane()
    lane.deliver(make_message("m1"), body=NEWER)
    lane.deliver(make_message("m2"))
    assert lane.provider.calls == ["m2"]
    assert names(lane)[0] == ("outcome.postponed", "m1")
    told = lane.stream[[event.name for event in lane.stream].index("outcome.postponed")].details
    assert told["reason"] == "newer-version"
    assert told["version"] == NEWEST_VERSION + 1
    assert told["due_at"] > time.time()
    # 60 s are six levels of the ladder.
    assert "wa.delay.05" in lane.session.said
    assert lane.session.said.index("wa.delay.05") < lane.session.said.index("ack")


@pytest.mark.parametrize(
    ("before", "left"),
    [("sent", "ack"), ("cancelling", "outcome.cancelled"), ("dead", "ack"), ("retrying", "ack")],
)
def test_what_is_on_record_about_a_newer_message_counts(before, left):
    lane = PaperLane(make_event(before, "m1", at=time.time(), generation=0))
    lane.deliver(make_message("m1"), body=NEWER)
    assert "wa.delay.05" not in lane.session.said
    assert left in lane.session.said
    assert lane.session.said[-1] == "ack"


@pytest.mark.parametrize("before", ["sending", "failed", "uncertain"])
def test_an_attempt_of_a_newer_consumer_without_a_consequence_stays_for_that_consumer(before):
    lane = PaperLane(make_event(before, "m1", at=time.time(), failure_class="transient"))
    entry = lane.ledger.entry("m1")
    lane.deliver(make_message("m1"), body=NEWER)
    assert "wa.delay.05" in lane.session.said
    assert lane.ledger.entry("m1") == entry


def test_a_copy_that_is_set_aside_is_the_same_copy_whatever_the_broker_wrote_on_it():
    properties = pika.BasicProperties(
        priority=9,
        app_id="shop",
        correlation_id="c",
        user_id="shop",
        expiration="1000",
        headers={
            "antrian-generation": 4,
            "antrian-strange": [1],
            "theirs": "x",
            "x-death": [{}],
            "CC": ["a"],
            b"\xff": 1,
        },
    )
    kept = SetAside.of(NEWER, properties, NewerVersion(3, 2))
    assert kept.message_id == message_id_of(NEWER, properties)
    assert kept.generation == 4
    assert kept.body == NEWER
    assert kept.properties.headers == {
        "antrian-generation": 4,
        "antrian-strange": [1],
        "theirs": "x",
        "antrian-waits": 1,
    }
    assert (kept.properties.priority, kept.properties.correlation_id) == (9, "c")
    # Such would have the broker refuse the copy, or drop it.
    assert (kept.properties.user_id, kept.properties.expiration) == (None, None)


@pytest.mark.parametrize("headers", [None, {}, {"antrian-undecodable": True}, {"antrian-waits": "x"}])
def test_headers_that_make_no_sense_do_not_matter(headers):
    kept = aside(headers, message_id="m1")
    assert (kept.message_id, kept.generation, kept.seconds) == ("m1", 0, FIRST_WAIT)
    assert kept.properties.headers["antrian-waits"] == 1


def test_it_waits_longer_each_time_up_to_a_quarter_of_an_hour():
    waits = [wait_after(count) for count in (*range(8), 2**31)]
    assert waits == sorted(waits)
    assert (waits[0], waits[1], waits[-1]) == (FIRST_WAIT, 2 * FIRST_WAIT, LONGEST_WAIT)
    assert aside({"antrian-waits": 3}).seconds == waits[3]


def test_a_message_that_comes_before_its_time_waits_for_it_and_costs_no_attempt():
    lane = PaperLane()
    deliver_at = datetime.fromtimestamp(time.time() + 3_600, UTC)
    lane.deliver(make_message("m1", deliver_at=deliver_at))
    assert lane.provider.calls == []
    assert names(lane) == [("outcome.postponed", "m1")]
    assert lane.stream[-1].details == {"reason": "deliver-at", "due_at": deliver_at.timestamp()}
    assert lane.session.said[-1] == "ack"


def test_a_message_whose_time_has_come_is_sent():
    lane = PaperLane()
    lane.deliver(make_message("m1", deliver_at=datetime.fromtimestamp(time.time() + 0.5, UTC)))
    assert lane.provider.calls == ["m1"]


def test_events_about_a_message_name_its_matter():
    lane = PaperLane()
    lane.deliver(make_message("m1", correlation_id="order-4711"))
    assert {event.details["correlation_id"] for event in lane.stream if event.message_id == "m1"} == {"order-4711"}
