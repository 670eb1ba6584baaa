"""A lane: its status, and what can be done about it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from admin_api.schemas.ingest import Moment
from admin_api.schemas.values import HistoryAge, PriorityName, Strict, Text
from antrian.domain.body import LONGEST_KEY
from antrian.domain.hold import HoldReason
from antrian.history.records import PENDING, MessageState
from antrian.operations.lane.clearing import Scope
from antrian.operations.lane.partial_clearing import PendingChoice
from antrian.operations.lane.status import Reason


class HoldItem(BaseModel):
    """What a message that waits, waits for."""

    reason: HoldReason
    until: float | None = Field(description="When that ends, unix seconds; null when nobody can tell.")
    rule: str = Field(description="What set it, such as `cold_daily_cap 20`; empty for nothing that can be changed.")


class BudgetShare(BaseModel):
    """One cap, and what is used of it."""

    used: int | None = Field(description="Null when no event of the lane's consumer is known.")
    cap: int | None = Field(description="Null for none.")
    left: int | None = Field(description="Null without a cap, or when it is not known what is used.")


class WarmUpItem(BaseModel):
    """How the cap for new contacts grows."""

    day: int = Field(description="Today, the first being 1.")
    caps: list[int] = Field(description="Of day 1, 2, … up to the first at the ceiling; at most 60.")


class BudgetItem(BaseModel):
    """What a lane may still send."""

    hour: BudgetShare = Field(description="Messages in this clock hour.")
    day: BudgetShare = Field(description="Messages on this day of the lane's time zone.")
    cold: BudgetShare = Field(description="Messages to new contacts on this day.")
    warm_up: WarmUpItem | None = Field(description="Null without a ramp.")
    resets_at: float = Field(description="When the next day begins, unix seconds.")


class NextMessage(BaseModel):
    """A message that waits, in sending order."""

    message_id: str
    phone_number: str = Field(description="E.164; masked for viewers.")
    priority: str = Field(description="low, normal, high or urgent.")
    priority_level: int = Field(description="The broker's number.")
    source: str = Field(description="The publishing service.")
    attempt: int = Field(description="Which attempt comes next, first = 1.")
    queued_at: float | None = Field(description="When its publisher made it, unix seconds.")
    eta_seconds: float | None = Field(
        description="Null when it is not known: the lane is paused, the provider is down, no consumer runs, or a rule "
        "of the lane may hold it by then."
    )
    hold: HoldItem | None = Field(default=None, description="What it waits for.")


class RetryItem(BaseModel):
    """A message that waits for another attempt."""

    message_id: str
    phone_number: str = Field(description="E.164; masked for viewers.")
    priority: str
    priority_level: int
    source: str
    attempt: int = Field(description="Which attempt comes next.")
    due_at: float = Field(description="When it comes back into its lane, unix seconds.")
    hold: HoldItem | None = Field(default=None, description="What it waits for.")


class Sending(BaseModel):
    """The attempt that has no outcome yet."""

    message_id: str
    attempt: int
    since: float = Field(description="Unix seconds.")
    phone_number: str = Field(description="E.164; masked for viewers; empty when the history does not know it yet.")
    priority: str
    priority_level: int
    source: str
    deadline: float | None = Field(description="When the call to the provider is given up, unix seconds, if known.")


class Differences(BaseModel):
    """What the broker counts, minus what the history knows; 0 when they agree."""

    waiting: int
    failed: int


class HistoryState(BaseModel):
    """How far the history has read the journal."""

    offset: int = Field(description="The last entry in the history; -1 for none.")
    behind_seconds: float
    caught_up: bool
    writes: bool = Field(description="Whether this process writes the history; another one may.")
    trouble: str = Field(description="Why it does not go on; empty when it does.")
    differences: Differences
    differs_since: float | None = Field(
        description="Since when the same difference has lasted, unix seconds; null when the two agree."
    )
    gaps: list[str] = Field(description="What the history never saw, a sentence each.")


class RetentionAlarmItem(BaseModel):
    """Dead letters that the history will soon forget."""

    count: int
    oldest: float | None = Field(description="When the oldest of them was given up, unix seconds.")
    seconds_left: float | None = Field(description="Until the history forgets it.")


class SessionItem(BaseModel):
    """How the lane's sender is connected to WhatsApp, as its provider told it last."""

    state: str = Field(description="`connected`, `disconnected`, `needs_qr`, `needs_passkey` or `banned`.")
    at: float = Field(description="When that was heard, unix seconds.")
    detail: str = Field(description="The provider's words; empty for none.")


class LaneStatus(BaseModel):
    """A lane at one moment. Times are unix seconds, durations seconds."""

    lane: str
    lanes: list[str] = Field(description="All lanes.")
    at: float
    queue_length: int = Field(description="What waits in the lane, the message being sent included.")
    is_processing: bool = Field(description="A message is being sent, or the pause after it is running.")
    failed_messages: int = Field(description="Dead letters of all lanes.")
    estimated_time: float | None = Field(
        description="Until everything queued now has been sent, what is held included; null while the lane is paused, "
        "the provider is down, no consumer runs, or only a plan can tell."
    )
    estimate_needs_plan: HoldReason | None = Field(
        default=None, description="Why only a plan can tell when the last message leaves; see `GET /plan`."
    )
    estimate_after_resume: float | None = Field(
        description="The same from the moment of a resume on; only while the lane is paused."
    )
    waiting: int
    in_flight: int
    retrying: int
    scheduled: int = Field(description="Of all lanes; what is held is not among them.")
    held: int | None = Field(default=None, description="Messages of this lane that a rule holds.")
    dead_callbacks: int = Field(
        default=0, description="Callbacks to the owner's services that were given up, of all lanes."
    )
    hold: HoldItem | None = Field(default=None, description="What a message in the lane's queue waits for.")
    budget: BudgetItem | None = Field(default=None, description="What the lane may still send.")
    consumers: int
    running: bool
    paused: bool
    paused_by: str | None
    paused_at: float | None
    last_sent_at: float | None
    next_send_in: float | None
    next_send_reason: Reason
    delay: float = Field(description="The pause between two sends, as the consumer runs.")
    jitter: float = Field(description="Up to so many seconds more, as the consumer runs.")
    mean_attempt: float | None = Field(description="How long recent attempts took on average.")
    pause_left: float = Field(
        description="Until the lane's pause, or the provider's hold, is over; also while nothing waits."
    )
    provider: str
    sender: str | None = Field(description="The lane's own number; masked for viewers.")
    is_sandbox: bool = Field(description="Nothing is really sent.")
    standby: bool | None = Field(
        description="Whether another consumer would take over; null when it is not known, as while the lane is on hold."
    )
    needs_newer_consumer: int = Field(
        default=0, description="Messages of a later version, which wait until a consumer can read it."
    )
    session: SessionItem | None = Field(
        default=None, description="The sender's connection; null where its provider does not tell."
    )
    sending: Sending | None
    next_messages: list[NextMessage]
    retries: list[RetryItem] = Field(description="The next ten messages that come back for another attempt.")
    history: HistoryState
    retention_alarm: RetentionAlarmItem | None


class ClearSelection(Strict):
    """Which of the messages that wait: those that fit everything that is given."""

    source: Text | None = Field(default=None, description="The publishing service, exactly.")
    key_prefix: Text | None = Field(default=None, description="How the idempotency key begins.")
    priority: PriorityName | None = None
    ids: list[Annotated[str, Field(max_length=255)]] | None = Field(default=None, min_length=1, max_length=10_000)
    state: list[MessageState] | None = Field(
        default=None, min_length=1, description="Any of `waiting`, `held`, `retrying` and `scheduled`."
    )
    phone_number: Text | None = Field(default=None, description="In any usual spelling, or a part of the digits.")
    text: Text | None = Field(default=None, description="Words of the text; the last may be incomplete.")

    @field_validator("state")
    @classmethod
    def _is_pending(cls, states: list[MessageState] | None) -> list[MessageState] | None:
        if states and not set(states) <= PENDING:
            raise ValueError("only waiting, held, retrying and scheduled messages can be cleared")
        return states

    def meant(self) -> PendingChoice:
        """As the clearing understands it."""
        return PendingChoice(
            **self.model_dump(exclude={"ids", "state"}),
            ids=frozenset(self.ids) if self.ids else None,
            states=frozenset(self.state) if self.state else None,
        )


class ClearRequest(Strict):
    """What to clear; without a body, what waits."""

    scope: Scope = Scope.QUEUED
    filter: ClearSelection | None = Field(default=None, description="Only these; with the scope `queued`.")
    dry_run: bool = Field(default=False, description="Only count them, and take nothing out.")

    @model_validator(mode="after")
    def _filters_what_waits(self) -> Self:
        if (self.filter is not None or self.dry_run) and self.scope is not Scope.QUEUED:
            raise ValueError("a filter and a dry run are only possible with the scope queued")
        if self.filter is not None and self.filter.meant().is_empty:
            raise ValueError("the filter is empty; leave it out to clear everything that waits")
        return self


class ClearAnswer(BaseModel):
    """What was taken out."""

    cleared_queued: int
    cleared_failed: int
    in_flight: int = Field(description="Being sent at that moment; not touched.")
    undo_id: str = Field(description="For `POST /undo/{undo_id}`; empty after a dry run.")
    refused: int = Field(description="Stay, because the broker did not accept the record of their removal.")
    cancelling: int = Field(default=0, description="Fit, but a consumer held them; it was asked not to send them.")
    matching: int | None = Field(default=None, description="How many a dry run found; null when it was none.")


class UndoAnswer(BaseModel):
    """What an undo put back."""

    restored: int


class PauseAnswer(BaseModel):
    """Whether the lane is paused now."""

    lane: str
    paused: bool
    changed: bool
    actor: str
    since: float


class ForceAnswer(BaseModel):
    """What a force led to."""

    lane: str
    forced: bool = Field(description="Whether a consumer was running.")
    resumed: bool
    ended: list[Literal["paused", "pause", "throttled", "unavailable"]] = Field(
        description="What it ended: the lane's being paused, the pause after the last send, the break that the "
        "provider asked for, the wait for a provider that is away. Empty when there was nothing to end."
    )
    waiting: int = Field(description="Messages that wait in the lane.")


class TryAnswer(BaseModel):
    """Which message of a paused lane is sent; the lane stays paused."""

    message_id: str
    lane: str
    wait: float = Field(description="Seconds until its sending can begin.")
    reason: str = Field(description="What it waits for: `pause`, `throttled`, `unavailable`; empty for nothing.")


class SendTest(Strict):
    """A message to send for trying out."""

    phone_number: str = Field(max_length=64, description="In any usual spelling.", examples=["081234567890"])
    message: str = Field(max_length=4096, examples=["Halo, ini pesan percobaan."])
    priority: PriorityName = "normal"
    deliver_at: Moment = Field(default=None, description="Not sent before; at once without it.")
    expires_at: Moment = Field(default=None, description="Not sent after.")
    idempotency_key: str | None = Field(default=None, max_length=LONGEST_KEY)


class Accepted(BaseModel):
    """The broker has it on disk."""

    message_id: str


class AcceptedMany(BaseModel):
    """The broker has all of them on disk."""

    message_ids: list[str]


class RemovalItem(BaseModel):
    """A clearing or a purge, which can be undone once."""

    undo_id: str
    at: float
    actor: str
    kind: str = Field(description="`clear` or `purge`.")
    lane: str
    count: int
    undone_at: float | None
    undone_by: str | None


class Removals(BaseModel):
    """The latest clearings and purges, newest first."""

    items: list[RemovalItem]
    history: HistoryAge


Details = dict[str, Any]
