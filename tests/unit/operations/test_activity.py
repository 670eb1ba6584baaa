from factories import NOW, make_event

from antrian.domain.events import Event
from antrian.operations.lane.activity import Activity


def activity(*events: Event) -> Activity:
    folded = Activity("default")
    for event in events:
        folded.apply(event)
    return folded


def test_an_attempt_without_an_outcome_is_being_sent():
    assert activity(make_event("sending")).sending == make_event("sending")


def test_an_outcome_ends_the_send():
    for name in ("sent", "failed", "uncertain"):
        assert activity(make_event("sending"), make_event(name, at=NOW + 1)).sending is None


def test_the_outcome_of_another_message_does_not_end_the_send():
    folded = activity(make_event("sending", "m2"), make_event("uncertain", "m1"))
    assert folded.sending is not None


def test_a_new_attempt_takes_the_place_of_one_that_a_crash_left_behind():
    folded = activity(make_event("sending", "m1"), make_event("sending", "m2"), make_event("sent", "m2"))
    assert folded.sending is None


def test_only_a_message_that_was_sent_counts_as_the_last_send():
    folded = activity(make_event("sent", at=NOW), make_event("failed", "m2", at=NOW + 5))
    assert folded.last_sent_at == NOW
    assert folded.times.send_ended_at == NOW + 5


def test_other_lanes_are_ignored():
    folded = activity(make_event("sending", lane="other"), make_event("sent", lane="other"))
    assert (folded.sending, folded.last_sent_at) == (None, 0)


def test_retries_are_due_until_their_time_comes_soonest_first():
    folded = activity(
        make_event("retrying", "late", due_at=NOW + 60),
        make_event("retrying", "soon", due_at=NOW + 30),
    )
    assert [one.due_at for one in folded.retries_due(NOW)] == [NOW + 30, NOW + 60]
    assert [one.due_at for one in folded.retries_due(NOW + 30)] == [NOW + 60]


def test_a_message_that_is_sent_or_given_up_no_longer_waits_for_a_retry():
    for name in ("sending", "expired", "cancelled", "cleared", "duplicate"):
        folded = activity(make_event("retrying", due_at=NOW + 60), make_event(name, at=NOW + 1))
        assert folded.retries_due(NOW + 2) == []


def test_retries_that_came_back_are_forgotten():
    folded = activity(*(make_event("retrying", f"m{n}", at=NOW + 10 * n, due_at=NOW + 10 * n + 5) for n in range(50)))
    assert len(folded._due) == 1


def test_a_retry_without_a_readable_time_is_ignored():
    assert activity(make_event("retrying", due_at="soon")).retries_due(0) == []


def test_forcing_is_remembered():
    assert activity(Event("lane.forced", NOW, "default")).forced_at == NOW


def test_a_time_that_no_clock_can_tell_is_no_retry():
    for absurd in (10**400, 1e300, float("inf"), float("nan"), "soon", None):
        assert activity(make_event("retrying", due_at=absurd)).retries_due(NOW) == []


def test_messages_that_only_a_newer_consumer_can_read_are_counted_until_they_have_gone_on():
    newer = [
        make_event("postponed", name, reason="newer-version", version=3, due_at=NOW) for name in ("m1", "m2", "m1")
    ]
    early = make_event("postponed", "m3", reason="deliver-at", due_at=NOW + 60)
    assert activity(*newer, early).too_new == {"m1": 3, "m2": 3}
    assert activity(*newer, make_event("sending", "m1")).too_new == {"m2": 3}
    assert activity(*newer, Event("lane.cleared", NOW, "default")).too_new == {}
