import pytest
from factories import make_failure, make_settings
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed
from consumer.lane.retry import (
    LONGEST_PROBE,
    RECIPIENT_PAUSE,
    THROTTLE_PAUSE,
    Consequence,
    GiveUp,
    HoldCold,
    HoldLane,
    Interrupted,
    Retry,
    RetryPolicy,
    SendAgain,
    probe_pause,
)

RESEND = RetryPolicy(max_attempts=3, delays=(30.0, 120.0))
BURY = RetryPolicy(max_attempts=3, delays=(30.0, 120.0), resend_uncertain=False)
NEVER_SENT, TRANSIENT, BUSY, COLD, THROTTLED, DOWN, UNCERTAIN = FailureClass
UNKNOWN = make_failure(UNCERTAIN, "timeout")


@pytest.mark.parametrize(
    ("failure", "attempt", "expected"),
    [
        (make_failure(NEVER_SENT, "no-whatsapp"), 1, GiveUp("no-whatsapp")),
        (make_failure(NEVER_SENT, "no-whatsapp"), 3, GiveUp("no-whatsapp")),
        (make_failure(TRANSIENT), 1, Retry(30.0, 2)),
        (make_failure(TRANSIENT), 2, Retry(120.0, 3)),
        (make_failure(TRANSIENT), 3, GiveUp("attempts-exhausted")),
        (make_failure(TRANSIENT), 4, GiveUp("attempts-exhausted")),
        (make_failure(TRANSIENT, retry_after=5.0), 1, Retry(30.0, 2)),
        (make_failure(TRANSIENT, retry_after=45.0), 1, Retry(45.0, 2)),
        (make_failure(BUSY), 1, Retry(RECIPIENT_PAUSE, 1)),
        (make_failure(BUSY), 9, Retry(RECIPIENT_PAUSE, 9)),
        (make_failure(BUSY, retry_after=7.0), 2, Retry(7.0, 2)),
        (make_failure(BUSY, retry_after=0.0), 2, Retry(0.0, 2)),
        (make_failure(COLD), 1, HoldCold()),
        (make_failure(COLD, retry_after=5.0), 9, HoldCold()),
        (make_failure(THROTTLED), 1, HoldLane(THROTTLE_PAUSE)),
        (make_failure(THROTTLED), 9, HoldLane(THROTTLE_PAUSE)),
        (make_failure(THROTTLED, retry_after=5.0), 1, HoldLane(5.0)),
        (make_failure(THROTTLED, retry_after=0.0), 1, HoldLane(0.0)),
        (make_failure(DOWN), 1, HoldLane(1.0)),
        (make_failure(DOWN), 9, HoldLane(1.0)),
        (make_failure(DOWN, retry_after=20.0), 1, HoldLane(20.0)),
        (make_failure(DOWN, retry_after=0.5), 1, HoldLane(1.0)),
    ],
)
@pytest.mark.parametrize("policy", [RESEND, BURY])
def test_each_failure_class_has_its_consequence(
    failure: Failed, attempt: int, expected: Consequence, policy: RetryPolicy
) -> None:
    assert policy.after(failure, attempt=attempt) == expected


@pytest.mark.parametrize(
    ("policy", "failure", "attempt", "crashes", "expected"),
    [
        (RESEND, UNKNOWN, 1, 0, Retry(30.0, 2)),
        (RESEND, UNKNOWN, 2, 0, Retry(120.0, 3)),
        (RESEND, UNKNOWN, 3, 0, GiveUp("attempts-exhausted")),
        (RESEND, UNKNOWN, 1, 3, Retry(30.0, 2)),
        (RESEND, Interrupted(), 1, 1, SendAgain(2)),
        (RESEND, Interrupted(), 2, 2, SendAgain(3)),
        (RESEND, Interrupted(), 3, 1, GiveUp("attempts-exhausted")),
        (RESEND, Interrupted(), 1, 3, GiveUp("poison")),
        (RESEND, Interrupted(), 3, 3, GiveUp("poison")),
        (RetryPolicy(max_attempts=100), Interrupted(), 2, 3, GiveUp("poison")),
        (BURY, UNKNOWN, 1, 0, GiveUp("uncertain")),
        (BURY, Interrupted(), 1, 1, GiveUp("uncertain")),
        (BURY, Interrupted(), 3, 3, GiveUp("uncertain")),
    ],
)
def test_what_may_have_been_sent_is_sent_again_or_buried_as_the_settings_say(
    policy: RetryPolicy, failure: Failed, attempt: int, crashes: int, expected: Consequence
) -> None:
    assert policy.after(failure, attempt=attempt, crashes=crashes) == expected


@pytest.mark.parametrize(
    ("delays", "waits"), [((5.0,), [5, 5, 5, 5]), ((1.0, 2.0), [1, 2, 2, 2]), ((1, 2, 3, 4, 5), [1, 2, 3, 4])]
)
def test_the_last_delay_repeats(delays: tuple[float, ...], waits: list[float]) -> None:
    policy = RetryPolicy(max_attempts=5, delays=delays)
    consequences = [policy.after(make_failure(TRANSIENT), attempt=attempt) for attempt in range(1, 5)]
    assert consequences == [Retry(wait, attempt) for attempt, wait in enumerate(waits, start=2)]


def test_with_one_attempt_nothing_is_retried() -> None:
    policy = RetryPolicy(max_attempts=1)
    assert policy.after(make_failure(TRANSIENT), attempt=1) == GiveUp("attempts-exhausted")
    assert policy.after(Interrupted(), attempt=1, crashes=1) == GiveUp("attempts-exhausted")


def test_a_provider_whose_failure_looks_like_a_crash_is_not_taken_for_one() -> None:
    assert RESEND.after(make_failure(UNCERTAIN, "crash"), attempt=1, crashes=3) == Retry(30.0, 2)


def test_probes_become_rarer_up_to_a_minute() -> None:
    assert [probe_pause(number) for number in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert probe_pause(10**9) == LONGEST_PROBE


@given(
    st.builds(
        Failed,
        st.sampled_from(FailureClass),
        st.sampled_from(["crash", "busy"]),
        st.just(""),
        st.none() | st.floats(0, 1e6),
    ),
    st.builds(
        RetryPolicy,
        st.integers(1, 100),
        st.lists(st.floats(0, 1e6), min_size=1, max_size=5).map(tuple),
        st.booleans(),
    ),
    st.integers(1, 200),
    st.integers(0, 10),
    st.integers(0, 10**6),
)
def test_no_failure_is_without_a_sensible_consequence(
    failure: Failed, policy: RetryPolicy, attempt: int, crashes: int, row: int
) -> None:
    match policy.after(failure, attempt=attempt, crashes=crashes, failures_in_a_row=row):
        case Retry(delay, then):
            assert delay >= 0
            assert then == attempt or then <= policy.max_attempts
            assert then in {attempt, attempt + 1}
        case SendAgain(then):
            assert attempt < then <= policy.max_attempts
        case GiveUp(reason):
            assert reason
        case HoldLane(seconds):
            assert 0 <= seconds <= max(failure.retry_after or 0, LONGEST_PROBE)
        case HoldCold():
            assert failure.failure_class is COLD


def test_the_policy_is_what_the_environment_says() -> None:
    settings = make_settings(
        WHATSAPP_QUEUE_MAX_ATTEMPTS="5",
        WHATSAPP_QUEUE_RETRY_DELAYS="1, 2.5",
        WHATSAPP_QUEUE_ON_UNCERTAIN="dead-letter",
    )
    assert RetryPolicy.from_settings(settings, settings.lanes.first) == RetryPolicy(
        5, (1.0, 2.5), resend_uncertain=False
    )
    assert RetryPolicy.from_settings(make_settings(), make_settings().lanes.first) == RESEND
