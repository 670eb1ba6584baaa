"""What to do with a delivery, before anything is sent: a pure function of the message, the ledger and the clock."""

from dataclasses import dataclass

from antrian.domain.contact import Purpose
from antrian.domain.failure_class import FailureClass
from antrian.domain.hold import Hold, receipt_hold
from antrian.domain.lifecycle import SPENT
from antrian.domain.message import Message
from antrian.providers.contract import Failed
from consumer.lane.holds import LaneHolds
from consumer.lane.ledger import Entry, Ledger, State
from consumer.lane.receipts import Proof
from consumer.lane.retry import Interrupted, Retry, RetryPolicy, SendAgain


@dataclass(frozen=True, slots=True)
class Send:
    """Send it, as attempt number `attempt`."""

    attempt: int


@dataclass(frozen=True, slots=True)
class AlreadySent:
    """A crash came between the send and the ack: keep what is left of the pause, then ack."""


@dataclass(frozen=True, slots=True)
class Proved:
    """An attempt that has no answer was made, as its receipt says: record the send, then go on as if it was sent."""

    proof: Proof


@dataclass(frozen=True, slots=True)
class Spent:
    """This copy has had its attempt, and its successor is in the broker: ack."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """An attempt began and has no outcome: record it as uncertain, then look again."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Settle:
    """An attempt's failure is recorded, but its consequence is not in the broker yet: see to that."""

    attempt: int
    failure: Failed


@dataclass(frozen=True, slots=True)
class Drop:
    """Not to be sent: record the event `outcome.{outcome}`, then ack at once."""

    outcome: str
    detail: str
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class Postpone:
    """Its time has not come: lay it on the delay ladder until then, and count no attempt.

    Attributes:
        until: unix seconds.
    """

    until: float


@dataclass(frozen=True, slots=True)
class HoldBack:
    """A rule of its lane keeps it back, and not those behind it: lay it on the delay ladder, and count no attempt."""

    hold: Hold


Admission = Send | AlreadySent | Proved | Spent | Crashed | Settle | Drop | Postpone | HoldBack

#: Why a message was postponed, as its event says: its body asks for a later time.
DELIVER_AT = "deliver-at"

#: Seconds that a message may come before its time: its publisher's clock and ours need not agree to the second, and the
#: ladder has no smaller step.
EARLY = 1.0

_CANCELLED = "cancelled by an admin before it was sent"


def admit(
    message: Message, ledger: Ledger, policy: RetryPolicy, holds: LaneHolds, now: float, *, receipt_wait: float = 0.0
) -> Admission:
    """Decide about one delivery.

    Args:
        message: what was delivered.
        ledger: complete up to now (see the barrier in `consumer.lane.worker`).
        policy: decides what an earlier failure leads to.
        holds: asks the rules of the lane.
        now: wall clock, unix seconds.
        receipt_wait: seconds for which an attempt without an answer waits for its receipt.

    Raises:
        ContactsLost: what is known of the recipients must be read again first.
    """
    entry = ledger.entry(message.message_id)
    attempt = message.attempt
    if entry is not None:
        if entry.state is State.SENT:
            return AlreadySent()
        if _is_spent(entry, message):
            return Spent()
        if (awaited := await_receipt(message, ledger, receipt_wait, now)) is not None:
            return awaited
        if entry.generation == message.generation:
            if entry.state is State.SENDING:
                return Crashed(entry.attempt)
            if unsettled := _unsettled(entry, policy, cancelled=ledger.is_cancelled(message.message_id)):
                return unsettled
            attempt = entry.attempt + (entry.state is State.FAILED)
    long_ago = _long_ago(message, holds) if entry is None else None
    decided = long_ago or _opt_out(message, holds) or _refusal(message, ledger, now) or _postponement(message, now)
    return decided or _hold(message, holds, now) or Send(attempt)


def await_receipt(message: Message, ledger: Ledger, wait: float, now: float) -> Proved | HoldBack | None:
    """What the receipts of its attempts mean for a message that is not known to be sent; None where nothing.

    Args:
        message: it.
        ledger: complete up to now.
        wait: seconds for which an attempt without an answer waits for its receipt.
        now: unix seconds.
    """
    told, entry = ledger.receipts.of(message.message_id), ledger.entry(message.message_id)
    if told is None or entry is None:
        return None
    if told.proof is not None:
        return Proved(told.proof)
    failure = entry.failure
    if entry.generation != message.generation or entry.state is not State.FAILED or failure is None:
        return None
    if failure.failure_class is not FailureClass.UNCERTAIN:
        return None
    # A crash is found late; its attempt was over before.
    since = told.began_at if isinstance(failure, Interrupted) else entry.at
    left = since + wait - now
    # Nor for ever, where the clock was set back.
    return HoldBack(receipt_hold(now + left, wait)) if 0 < left <= 2 * wait else None


def admit_unread(message_id: str, generation: int, ledger: Ledger) -> AlreadySent | Spent | Drop | None:
    """Decide about a delivery of a later version, which nobody here can read; None when it has to wait.

    What was begun with it and has no end stays as it is on record, for the consumer that can read it.
    """
    entry = ledger.entry(message_id)
    if entry is not None:
        if entry.state is State.SENT:
            return AlreadySent()
        if entry.generation > generation or (entry.generation == generation and entry.state in SPENT):
            return Spent()
    return Drop("cancelled", _CANCELLED) if ledger.is_cancelled(message_id) else None


def dedupe_key(message: Message) -> str | None:
    """What makes two messages one: the publishing service and its idempotency key."""
    key = message.body.idempotency_key
    return f"{message.body.source}:{key}" if key else None


def _is_spent(entry: Entry, message: Message) -> bool:
    if entry.generation == message.generation:
        return entry.state in SPENT
    return entry.generation > message.generation


def _unsettled(entry: Entry, policy: RetryPolicy, *, cancelled: bool) -> Settle | None:
    if entry.state is not State.FAILED or entry.failure is None:
        return None
    consequence = policy.after(entry.failure, attempt=entry.attempt, crashes=entry.crashes)
    # A cancelled message needs no retry; but its dead letter may already exist, and must then be the only end it has.
    settled = isinstance(consequence, SendAgain) or (cancelled and isinstance(consequence, Retry))
    return None if settled else Settle(entry.attempt, entry.failure)


def _long_ago(message: Message, holds: LaneHolds) -> Spent | Drop | None:
    """What became of a message that waited for longer than the ledger remembers."""
    if holds.was_sent(message):
        # A crash left two copies on the ladder, for two days; the other one came first.
        return Spent()
    return Drop("cancelled", _CANCELLED) if holds.was_cancelled(message) else None


def _opt_out(message: Message, holds: LaneHolds) -> Drop | None:
    purpose = holds.barred_purpose(message)
    return None if purpose is None else Drop("opted_out", f"its recipient wants no {purpose} messages", purpose)


def _hold(message: Message, holds: LaneHolds, now: float) -> HoldBack | None:
    hold = holds.of_message(message, now)
    return None if hold is None else HoldBack(hold)


def _refusal(message: Message, ledger: Ledger, now: float) -> Drop | None:
    if ledger.is_cancelled(message.message_id):
        return Drop("cancelled", _CANCELLED)
    expires_at = message.body.expires_at
    if expires_at is not None and expires_at.timestamp() <= now:
        return Drop("expired", "it expired before it could be sent")
    key = dedupe_key(message)
    owner = ledger.owner(key, now) if key else None
    if owner not in {None, message.message_id}:
        return Drop("duplicate", f"its idempotency key belongs to message {owner}")
    return None


def _postponement(message: Message, now: float) -> Postpone | None:
    deliver_at = message.body.deliver_at
    until = deliver_at.timestamp() if deliver_at is not None else now
    return Postpone(until) if until > now + EARLY else None
