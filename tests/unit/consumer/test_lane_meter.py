"""What happens to a lane, as changes of its metrics."""

from dataclasses import replace

import pytest
from factories import LANE, NOW, make_event, make_failure, make_message

from antrian.domain.failure_class import FailureClass
from antrian.domain.priority import Priority
from antrian.providers.contract import SendResult, Sent
from consumer import lane_meter
from consumer.lane_meter import Change, LaneMeter
from consumer.observers import ProviderCall

DELAY = 10.0


@pytest.fixture
def meter() -> LaneMeter:
    return LaneMeter(LANE, DELAY)


def call(
    began: float = 100.0,
    seconds: float = 0.5,
    *,
    result: SendResult | None = None,
    priority: int | Priority = Priority.NORMAL,
    at: float = NOW + 30,
    excused: bool = False,
    due_at: float | None = None,
) -> ProviderCall:
    message = replace(make_message(priority=priority), due_at=due_at)
    return ProviderCall(message, "mpwa", began, began + seconds, at, result or Sent(), excused=excused)


def of(metric: str, changes) -> list[Change]:
    return [change for change in changes if change.metric == metric]


def test_a_call_is_counted_by_provider_outcome_and_priority(meter):
    [sends] = of(lane_meter.SENDS, meter.called(call(priority=Priority.HIGH)))
    assert sends == Change(lane_meter.SENDS, (LANE, "mpwa", "sent", "high"), 1.0)


@pytest.mark.parametrize("failure_class", FailureClass)
def test_a_failed_call_is_counted_by_its_class(meter, failure_class):
    [sends] = of(lane_meter.SENDS, meter.called(call(result=make_failure(failure_class))))
    assert sends.labels == (LANE, "mpwa", failure_class.value, "normal")


def test_its_duration_is_observed_whatever_comes_of_it(meter):
    for result in (Sent(), make_failure()):
        [duration] = of(lane_meter.SEND_SECONDS, meter.called(call(seconds=0.25, result=result)))
        assert duration == Change(lane_meter.SEND_SECONDS, (LANE, "mpwa"), pytest.approx(0.25))


def test_the_wait_runs_from_publishing_to_sending(meter):
    [wait] = of(lane_meter.WAIT, meter.called(call(at=NOW + 42)))
    assert wait == Change(lane_meter.WAIT, (LANE, "normal"), pytest.approx(42.0))


def test_the_wait_of_a_scheduled_message_runs_from_its_time(meter):
    [wait] = of(lane_meter.WAIT, meter.called(call(at=NOW + 3642, due_at=NOW + 3600)))
    assert wait.value == pytest.approx(42.0)


def test_a_publisher_whose_clock_runs_ahead_waited_for_nothing(meter):
    [wait] = of(lane_meter.WAIT, meter.called(call(at=NOW - 5)))
    assert wait.value == 0.0


def test_a_failed_attempt_is_no_end_of_waiting(meter):
    assert of(lane_meter.WAIT, meter.called(call(result=make_failure()))) == []


def test_the_first_call_follows_no_gap(meter):
    assert of(lane_meter.GAP, meter.called(call())) == []


def test_a_gap_runs_from_the_end_of_one_call_to_the_start_of_the_next(meter):
    list(meter.called(call(100.0, 0.5, result=make_failure())))
    changes = list(meter.called(call(110.6)))
    assert of(lane_meter.GAP, changes) == [Change(lane_meter.GAP, (LANE,), pytest.approx(10.1))]
    assert of(lane_meter.GAP_VIOLATIONS, changes) == []


def test_a_gap_below_the_delay_is_a_violation(meter):
    list(meter.called(call(100.0, 0.5)))
    assert of(lane_meter.GAP_VIOLATIONS, meter.called(call(110.4))) == [Change(lane_meter.GAP_VIOLATIONS, (LANE,))]


def test_a_gap_of_exactly_the_delay_is_none(meter):
    list(meter.called(call(100.0, 0.5)))
    assert of(lane_meter.GAP_VIOLATIONS, meter.called(call(110.5))) == []


def test_an_urgent_or_forced_send_may_come_before_the_pause_is_over(meter):
    list(meter.called(call(100.0)))
    changes = list(meter.called(call(101.0, excused=True)))
    assert of(lane_meter.GAP, changes) != []
    assert of(lane_meter.GAP_VIOLATIONS, changes) == []


def test_a_strangers_priority_has_a_label_of_its_own(meter):
    message = make_message()
    object.__setattr__(message, "priority", 7)
    [sends] = of(lane_meter.SENDS, meter.called(ProviderCall(message, "mpwa", 1, 2, NOW, Sent())))
    assert sends.labels[-1] == "other"


@pytest.mark.parametrize("end", ["sent", "dead", "expired", "cancelled", "cleared", "duplicate"])
def test_an_end_is_counted_when_it_is_on_record(meter, end):
    changes = list(meter.recorded(make_event(end, attempt=2)))
    assert of(lane_meter.MESSAGES, changes) == [Change(lane_meter.MESSAGES, (LANE, end))]


@pytest.mark.parametrize("name", ["sending", "failed", "uncertain", "retrying", "barrier", "redriven"])
def test_what_is_no_end_is_not_counted(meter, name):
    assert list(meter.recorded(make_event(name))) == []


def test_attempts_are_observed_where_an_attempt_was_the_end(meter):
    assert of(lane_meter.ATTEMPTS, meter.recorded(make_event("sent", attempt=2))) == [
        Change(lane_meter.ATTEMPTS, (LANE,), 2)
    ]
    assert of(lane_meter.ATTEMPTS, meter.recorded(make_event("dead", attempt=3)))[0].value == 3
    assert of(lane_meter.ATTEMPTS, meter.recorded(make_event("expired", attempt=1))) == []


def test_a_message_that_nobody_could_read_had_no_attempt(meter):
    assert of(lane_meter.ATTEMPTS, meter.recorded(make_event("dead", attempt=0))) == []


def test_the_last_send_is_remembered_whoever_made_it(meter):
    list(meter.heard(make_event("sent", at=NOW), counts=False))
    assert meter.last_sent_at == NOW
    list(meter.recorded(make_event("sent", at=NOW + 5)))
    list(meter.heard(make_event("sent", at=NOW + 3), counts=True))
    assert meter.last_sent_at == NOW + 5


def test_another_lanes_events_are_none_of_ours(meter):
    assert list(meter.heard(make_event("cleared", lane="other"), counts=True)) == []
    list(meter.heard(make_event("sent", lane="other"), counts=True))
    assert meter.last_sent_at == 0.0


def test_of_several_consumers_one_counts_what_an_admin_cleared(meter):
    cleared = make_event("cleared")
    assert list(meter.heard(cleared, counts=False)) == []
    assert list(meter.heard(cleared, counts=True)) == [Change(lane_meter.MESSAGES, (LANE, "cleared"))]


def test_what_another_consumer_sent_is_counted_there(meter):
    assert list(meter.heard(make_event("sent"), counts=True)) == []
