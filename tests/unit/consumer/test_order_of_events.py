"""Orders of events that a broker takes once in a thousand times, and that must break no promise."""

import os
import threading
import time
from queue import SimpleQueue

import pytest
from factories import make_event, make_message
from fake_connection import PaperLane, PaperSession

from antrian.broker.topology import Names
from antrian.domain.control import Command
from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed
from consumer.connection import BrokerConnection
from consumer.inbox import ContactRecorded, Listening, OutcomeRecorded, Stop
from consumer.lane.ledger import State
from consumer.outcomes.writer import BARRIER_TIMEOUT, Disconnected

THROTTLED = Failed(FailureClass.THROTTLED, "throttled", "", 300.0)


class PaperIO:
    """The I/O thread, which has a connection of its own to drop."""

    drops = 0

    def call(self, act):
        act()

    def drop(self):
        self.drops += 1


class PaperConnection:
    def __init__(self, *, is_open):
        self.is_open = is_open

    def channel(self, on_open_callback):
        pass


def by_another(name: str, message_id: str, *, ago: float = 0.0, **details: object):
    return make_event(name, message_id, at=time.time() - ago, source="another", **details)


def test_a_hold_is_kept_by_a_worker_whose_connection_breaks_while_it_is_recorded():
    lane = PaperLane()
    lane.provider.answers = [THROTTLED]
    lane.session.before_confirm["outcome.failed"] = lane.session.die
    with pytest.raises(Disconnected):
        lane.deliver(make_message("m1"))
    lane.connect()
    assert lane.ledger.times.held_because == "throttled"
    assert lane.wait > 250


def test_the_end_of_a_message_tells_its_class_and_its_beginning_who_sends_and_until_when():
    lane = PaperLane()
    lane.provider.answers = [Failed(FailureClass.REJECTED, "not-on-whatsapp", "")]
    lane.deliver(make_message("m1"))
    lane.deliver(make_message("m2"), body=b"garbage")
    told = {(one.name, one.message_id): one.details for one in lane.stream}
    assert told["outcome.dead", "m1"]["failure_class"] == "rejected"
    assert told["outcome.dead", "m2"]["failure_class"] == "malformed"
    assert told["outcome.sending", "m1"]["consumer"].endswith(f" ({os.getpid()})")
    assert time.time() < told["outcome.sending", "m1"]["deadline"] <= time.time() + 120


def test_a_force_that_another_consumer_has_spent_does_not_break_a_later_pause():
    lane = PaperLane(by_another("failed", "m0", ago=6, failure_class="throttled", hold=300, pause=5), delay="60")
    lane.session.tell(Command.FORCE)
    lane.take_in()
    assert lane.pace.forced
    lane.subscribe()
    for number in range(3):
        lane.session.show(by_another("sending", f"a{number}"))
        lane.session.show(by_another("sent", f"a{number}", pause=60))
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == []
    assert lane.wait > 50


def test_what_another_consumer_reports_during_our_subscription_is_kept_to():
    lane = PaperLane(delay="60")
    lane.stand_by()
    lane.session.show(by_another("sending", "a1"))
    lane.session.show(by_another("sent", "a1", pause=60))
    lane.take_in()
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == []
    assert lane.session.said[-1] == "give_back"


def test_a_send_that_is_reported_while_our_own_begins_to_be_recorded_is_not_repeated():
    lane = PaperLane(by_another("sending", "m1", ago=60))
    lane.stand_by()
    late = by_another("sent", "m1", ago=1, pause=0)
    lane.session.before_confirm["outcome.sending"] = lambda: lane.session.show(late)
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == []
    assert lane.session.said[-1] == "give_back"
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == []
    assert lane.session.said[-1] == "ack"


def test_nothing_is_sent_when_the_connection_is_known_to_be_gone_and_the_attempt_does_not_count():
    lane = PaperLane()
    lane.session.after_confirm["outcome.sending"] = lane.session.die
    with pytest.raises(Disconnected):
        lane.deliver(make_message("m1"))
    assert lane.provider.calls == []
    lane.connect()
    assert lane.told == ["outcome.sending", "outcome.failed"]
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == ["m1"]
    assert [event.attempt for event in lane.stream if event.name == "outcome.sent"] == [1]


def test_a_late_report_ends_no_newer_hold():
    lane = PaperLane(
        by_another("sending", "m1", ago=100),
        make_event("failed", "m2", at=time.time() - 59, source="b", failure_class="throttled", hold=3600, pause=1),
        by_another("sent", "m1", ago=70, pause=1),
    )
    assert lane.pace.gate().reason == "throttled"
    assert lane.wait > 3000


def test_a_late_report_does_not_shorten_our_own_hold():
    lane = PaperLane()
    lane.provider.answers = [THROTTLED]
    lane.deliver(make_message("m2"))
    lane.session.show(by_another("failed", "m1", ago=100, failure_class="throttled", hold=60, pause=0.1))
    lane.reconnect()
    assert lane.wait > 250


def test_a_redrive_is_sent_though_the_stream_is_slower_than_the_lane():
    lane = PaperLane(
        by_another("sending", "m1", ago=50),
        by_another("cancelling", "m1", ago=50),
        by_another("failed", "m1", ago=49, failure_class="rejected", code="x"),
        by_another("dead", "m1", ago=49),
    )
    lane.stand_by()
    lane.session.before_confirm["outcome.barrier"] = lambda: lane.session.show(by_another("redriven", "m1"))
    lane.deliver(make_message("m1", generation=1))
    assert lane.provider.calls == ["m1"]


def test_a_cancelled_message_is_dropped():
    lane = PaperLane(by_another("cancelling", "m1"))
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == []
    assert lane.told[-1] == "outcome.cancelled"


def test_what_nobody_can_read_does_not_spend_a_good_message_of_the_same_id():
    lane = PaperLane()
    lane.deliver(make_message("m1"), b"{not json")
    lane.deliver(make_message("m1"))
    assert lane.provider.calls == ["m1"]


def test_what_another_consumer_began_is_given_up_only_after_a_pause():
    lane = PaperLane(delay="60", WHATSAPP_QUEUE_ON_UNCERTAIN="dead-letter")
    lane.session.show(by_another("sending", "m1"))
    lane.deliver(make_message("m1"))
    assert lane.told == ["outcome.sending"]
    assert lane.session.said[-1] == "give_back"
    assert lane.wait > 50

    lane.session.show(by_another("sent", "m1", pause=0))
    lane.tell(Stop())
    lane.deliver(make_message("m1"))
    assert lane.told == ["outcome.sending", "outcome.sent"]
    assert lane.session.said[-1] == "ack"


def test_after_the_pause_it_is_given_up():
    lane = PaperLane(by_another("sending", "m1"), delay="0", WHATSAPP_QUEUE_ON_UNCERTAIN="dead-letter")
    lane.deliver(make_message("m1"))
    assert lane.told == ["outcome.sending", "outcome.uncertain", "outcome.dead"]


def test_a_worker_is_ready_only_when_it_hears_every_command():
    """What the lane's state says is read after that, so that a pause is either in the state or heard."""
    lane = PaperLane()
    session = PaperSession(lane)

    def hear() -> None:
        session.tell(Command.PAUSE)
        lane.tell(Listening())

    session.listen = lambda: threading.Timer(0.1, hear).start()
    lane.reconnect(session)
    assert lane.pace.paused


def test_giving_up_a_connection_does_not_end_the_next_one():
    thread = PaperIO()
    gone = PaperConnection(is_open=False)
    BrokerConnection(thread, gone, Names(), SimpleQueue(), None).drop()
    assert thread.drops == 0
    BrokerConnection(thread, PaperConnection(is_open=True), Names(), SimpleQueue(), None).drop()
    assert thread.drops == 1


class TestReadingAgain:
    """The stream is read from its beginning once more: after it kept silent, or a subscription was cancelled."""

    @staticmethod
    def read_again(lane: PaperLane) -> None:
        lane.reader.lose_position()
        lane.reconnect()

    def test_one_crash_stays_one(self):
        lane = PaperLane(by_another("sending", "m0"), by_another("uncertain", "m0"), by_another("sending", "m1"))
        lane.session.show(by_another("uncertain", "m1"))
        lane.take_in()
        for _ in range(2):
            self.read_again(lane)
        assert [lane.ledger.entry(name).crashes for name in ("m0", "m1")] == [1, 1]

    def test_what_is_long_over_stays_over(self):
        lane = PaperLane(
            *(by_another("failed", f"f{n}", ago=900, failure_class="unavailable", hold=1, pause=0.1) for n in range(6))
        )
        lane.deliver(make_message("m1"))
        self.read_again(lane)
        assert lane.ledger.times.held_because is None
        assert lane.ledger.times.failures_in_a_row == 0

    def test_what_came_meanwhile_is_learnt(self):
        lane = PaperLane(by_another("sending", "m0"))
        lane.reader.lose_position()
        lane.session.die()
        lane.stream += [by_another("sent", "m0"), by_another("sending", "m1"), by_another("sent", "m1")]
        with pytest.raises(Disconnected):
            lane.take_in()
        lane.connect()
        assert [lane.ledger.entry(name).state for name in ("m0", "m1")] == [State.SENT] * 2

    def test_a_stream_that_was_made_again_is_news_from_its_beginning(self):
        lane = PaperLane(by_another("sending", "m0"), by_another("sent", "m0"))
        lane.reader.lose_position()
        lane.stream[:] = [by_another("sending", "m1"), by_another("sent", "m1")]
        lane.reconnect()
        assert [lane.ledger.entry(name).state for name in ("m0", "m1")] == [State.SENT] * 2

    def test_what_was_on_its_way_when_the_position_was_lost_does_not_bring_it_back(self):
        lane = PaperLane(by_another("sent", "m0"))
        lane.reader.lose_position()
        lane.session.show(by_another("sent", "m1"))
        lane.take_in()
        assert lane.reader.resume() == "first"
        lane.reconnect()
        assert lane.ledger.entry("m1").state is State.SENT


def test_a_long_stream_is_read_to_its_end_however_long_that_takes(monkeypatch):
    lane = PaperLane()
    lane.stand_by()
    shown = len(lane.stream)
    lane.stream += [by_another("sent", f"m{number}", ago=90) for number in range(40)]
    lane.session.show = lane.stream.append
    now = 0.0

    def clock() -> float:
        """An entry comes with each look, and two looks are as long as the stream may keep silent."""
        nonlocal now, shown
        now += BARRIER_TIMEOUT / 2
        if shown < len(lane.stream):
            lane.tell(OutcomeRecorded(lane.stream[shown], shown))
            lane.tell(ContactRecorded(lane.stream[shown], shown))
            shown += 1
        return now

    monkeypatch.setattr("time.monotonic", clock)
    lane.drive(lane.writer.barrier())
    assert len(lane.ledger) == 40


def test_a_standby_forgets_the_bells_that_others_have_answered():
    lane = PaperLane()
    for number in range(100):
        lane.session.tell(Command.URGENT, f"u{number}")
        lane.session.show(by_another("sending", f"u{number}"))
        lane.session.show(by_another("sent", f"u{number}"))
    lane.session.tell(Command.URGENT, "last")
    lane.take_in()
    assert set(lane.pace.bells.generations) == {"last"}
