from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from factories import NOW, make_event, make_message

from antrian.contacts.book import ContactBook
from antrian.domain.events import Event
from antrian.domain.lane_limits import NO_LIMITS
from antrian.domain.message import Message
from consumer.lane import admission
from consumer.lane.admission import Admission, AlreadySent, Crashed, Drop, Send, Settle, Spent, dedupe_key
from consumer.lane.holds import LaneHolds
from consumer.lane.ledger import Ledger
from consumer.lane.retry import RetryPolicy

BOOK = ContactBook()
PAST = datetime.fromtimestamp(NOW - 1, UTC)
POLICY = RetryPolicy(max_attempts=3, delays=(30.0, 120.0))
SENDING = make_event("sending", generation=1)
TRANSIENT = make_event("failed", generation=1, failure_class="transient", code="busy")
REJECTED = make_event("failed", generation=1, failure_class="rejected", code="no-whatsapp")
UNAVAILABLE = make_event("failed", generation=1, failure_class="unavailable", code="refused", hold=1.0)
THROTTLED = make_event("failed", generation=1, failure_class="throttled", code="slow-down", hold=5.0)

#: How the ledger came to know generation 1 of message m1.
PASTS: dict[str, list[Event]] = {
    "unknown": [],
    "sending": [SENDING],
    "sent": [SENDING, make_event("sent", generation=1)],
    "transient": [SENDING, TRANSIENT],
    "rejected": [SENDING, REJECTED],
    "unavailable": [SENDING, UNAVAILABLE],
    "throttled": [SENDING, THROTTLED],
    "crashed": [SENDING, make_event("uncertain", generation=1)],
    "retrying": [SENDING, TRANSIENT, make_event("retrying", generation=1)],
    "dead": [SENDING, REJECTED, make_event("dead", generation=1)],
    "redriven": [make_event("redriven", generation=1)],
    "duplicate": [make_event("duplicate", generation=1)],
    "expired": [make_event("expired", generation=1)],
    "cancelled": [make_event("cancelled", generation=1)],
    "cleared": [make_event("cleared", generation=1)],
    "restored": [make_event("cleared", generation=1), make_event("restored", generation=1)],
}
KNOWN = [past for past in PASTS if past != "unknown"]
NOT_SENT = [past for past in KNOWN if past != "sent"]


def make_ledger(events: Iterable[Event]) -> Ledger:
    ledger = Ledger("default", window=86_400, clock=lambda: NOW)
    for event in events:
        ledger.apply(event)
    return ledger


def admit(message: Message, ledger: Ledger, policy: RetryPolicy, now: float) -> Admission:
    """On a lane without limits, whose sender knows nobody."""
    holds = LaneHolds("default", "628111", NO_LIMITS, ledger, BOOK)
    return admission.admit(message, ledger, policy, holds, now)


def kind(admission: Admission) -> str:
    return f"drop {admission.outcome}" if isinstance(admission, Drop) else type(admission).__name__


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        ("unknown", Send(7)),
        ("sending", Crashed(1)),
        ("sent", AlreadySent()),
        ("transient", Settle(1, make_ledger([TRANSIENT]).entry("m1").failure)),
        ("rejected", Settle(1, make_ledger([REJECTED]).entry("m1").failure)),
        ("unavailable", Send(1)),
        ("throttled", Send(1)),
        ("crashed", Send(2)),
        *((past, Spent()) for past in ("retrying", "dead", "redriven", "duplicate", "expired", "cancelled", "cleared")),
        ("restored", Spent()),
    ],
)
def test_the_same_copy_is_decided_by_how_it_stands(past: str, expected: Admission) -> None:
    assert admit(make_message(generation=1, attempt=7), make_ledger(PASTS[past]), POLICY, NOW) == expected


@pytest.mark.parametrize("past", NOT_SENT)
def test_a_newer_copy_has_its_own_attempt_whatever_became_of_the_older_one(past: str) -> None:
    assert admit(make_message(generation=2, attempt=2), make_ledger(PASTS[past]), POLICY, NOW) == Send(2)


@pytest.mark.parametrize("past", NOT_SENT)
def test_an_older_copy_is_spent(past: str) -> None:
    assert admit(make_message(generation=0), make_ledger(PASTS[past]), POLICY, NOW) == Spent()


@pytest.mark.parametrize("generation", [0, 1, 2])
@pytest.mark.parametrize("harm", ["", "cancelled", "expired", "taken key"])
def test_what_was_sent_is_never_sent_again(generation: int, harm: str) -> None:
    ledger = make_ledger([*PASTS["sent"], *_harm(harm)])
    assert admit(_harmed(harm, generation), ledger, POLICY, NOW) == AlreadySent()


@pytest.mark.parametrize("harm", ["cancelled", "expired", "taken key"])
@pytest.mark.parametrize(
    ("past", "generation", "expected"),
    [
        ("unknown", 1, "drop"),
        # An attempt without an outcome is recorded first, whatever comes then.
        ("sending", 1, "Crashed"),
        ("unavailable", 1, "drop"),
        ("throttled", 1, "drop"),
        ("crashed", 1, "drop"),
        # What a failure led to may be in the broker already.
        ("rejected", 1, "Settle"),
        ("retrying", 1, "Spent"),
        ("dead", 1, "Spent"),
        ("sending", 2, "drop"),
        ("transient", 2, "drop"),
        ("retrying", 2, "drop"),
        ("dead", 2, "drop"),
        ("sending", 0, "Spent"),
        ("transient", 0, "Spent"),
    ],
)
def test_a_message_that_must_not_be_sent_is_dropped_unless_its_end_is_decided(
    past: str, generation: int, expected: str, harm: str
) -> None:
    ledger = make_ledger([*_harm(harm), *PASTS[past]])
    reason = {"taken key": "duplicate"}.get(harm, harm)
    wanted = f"drop {reason}" if expected == "drop" else expected
    assert kind(admit(_harmed(harm, generation), ledger, POLICY, NOW)) == wanted


@pytest.mark.parametrize(("harm", "expected"), [("cancelled", "drop cancelled"), ("expired", "Settle")])
def test_a_retry_that_a_crash_prevented_is_not_made_up_for_when_nobody_wants_the_message(
    harm: str, expected: str
) -> None:
    ledger = make_ledger([*PASTS["transient"], *_harm(harm)])
    assert kind(admit(_harmed(harm, 1), ledger, POLICY, NOW)) == expected


def _harm(harm: str) -> list[Event]:
    if harm == "cancelled":
        return [make_event("cancelling")]
    if harm == "taken key":
        return [make_event("sending", "other", key="test:k"), make_event("sent", "other", key="test:k")]
    return []


def _harmed(harm: str, generation: int) -> Message:
    expires_at = PAST if harm == "expired" else None
    return make_message(generation=generation, key="k" if harm == "taken key" else None, expires_at=expires_at)


def test_of_several_reasons_not_to_send_the_admins_wish_comes_first() -> None:
    ledger = make_ledger([*_harm("cancelled"), *_harm("taken key")])
    assert kind(admit(make_message(key="k", expires_at=PAST), ledger, POLICY, NOW)) == "drop cancelled"


def test_a_message_may_be_sent_up_to_the_moment_at_which_it_expires() -> None:
    message = make_message(expires_at=datetime.fromtimestamp(NOW, UTC))
    assert admit(message, make_ledger([]), POLICY, NOW - 0.001) == Send(1)
    assert kind(admit(message, make_ledger([]), POLICY, NOW)) == "drop expired"


@pytest.mark.parametrize("past", ["sending", "sent", "transient", "unavailable", "crashed", "retrying"])
def test_a_key_belongs_to_the_first_message_that_was_attempted_with_it(past: str) -> None:
    events = [_with_key(event) for event in PASTS[past]]
    assert kind(admit(make_message("m2", key="k"), make_ledger(events), POLICY, NOW)) == "drop duplicate"
    assert kind(admit(make_message("m1", generation=2, key="k"), make_ledger(events), POLICY, NOW)) != "drop duplicate"


@pytest.mark.parametrize("past", ["dead", "redriven", "duplicate", "expired", "cancelled", "cleared"])
def test_a_key_is_free_again_when_its_message_came_to_nothing(past: str) -> None:
    events = [_with_key(event) for event in PASTS[past]]
    assert admit(make_message("m2", key="k"), make_ledger(events), POLICY, NOW) == Send(1)


def test_a_key_is_free_again_after_the_window_even_if_nothing_happened_since() -> None:
    ledger = make_ledger([_with_key(event) for event in PASTS["sent"]])
    message = make_message("m2", key="k")
    assert kind(admit(message, ledger, POLICY, NOW + 86_400)) == "drop duplicate"
    assert admit(message, ledger, POLICY, NOW + 86_401) == Send(1)


def test_services_do_not_share_their_keys() -> None:
    assert dedupe_key(make_message(key="k", source="payment")) == "payment:k"
    assert dedupe_key(make_message(key="k", source="registration")) == "registration:k"
    assert dedupe_key(make_message()) is None


def test_what_happened_in_another_lane_decides_nothing_here() -> None:
    ledger = make_ledger([make_event("sent", lane="other")])
    assert admit(make_message(), ledger, POLICY, NOW) == Send(1)


@pytest.mark.parametrize(
    ("crashes", "policy", "expected"),
    [
        (1, POLICY, "Send"),
        (2, POLICY, "Send"),
        (3, POLICY, "Settle"),
        (1, RetryPolicy(max_attempts=1), "Settle"),
        (1, RetryPolicy(resend_uncertain=False), "Settle"),
        (3, RetryPolicy(max_attempts=50), "Settle"),
    ],
)
def test_a_message_that_crashes_the_consumer_is_tried_a_few_times_only(
    crashes: int, policy: RetryPolicy, expected: str
) -> None:
    ledger = make_ledger([])
    for attempt in range(1, crashes + 1):
        ledger.apply(make_event("sending", attempt=attempt))
        ledger.apply(make_event("uncertain", attempt=attempt))
    assert kind(admit(make_message(), ledger, policy, NOW)) == expected


def _with_key(event: Event) -> Event:
    return make_event(
        event.name.removeprefix("outcome."),
        generation=event.generation,
        attempt=event.attempt,
        key="test:k",
        **event.details,
    )
