"""Messages and what happened to them."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from admin_api.audit_items import Verdict
from admin_api.schemas.lane import Details, HoldItem
from admin_api.schemas.values import Cursor, HistoryAge, Limit, Moment, PriorityName, Strict, Text
from antrian.history.queries.term import Kind
from antrian.history.records import PENDING, DeliveryState, MessageFilter, MessageState, SearchState, told_apart


class MessageFields(Strict):
    """Which messages are meant: those that fit everything that is given."""

    q: Text | None = Field(
        default=None,
        description=(
            "One field for everything: a number in any usual spelling or its last digits, a message id, idempotency "
            "key or provider id or how one begins, words of the text, a source, a state. Not together with "
            "`phone_number`, `key` and `text`. Viewers find whole numbers and keys only, and no texts."
        ),
    )
    phone_number: Text | None = Field(default=None, description="In any usual spelling, or a part of the digits.")
    key: Text | None = Field(default=None, description="An idempotency key, message id or provider id, exactly.")
    text: Text | None = Field(default=None, description="Words of the text; the last may be incomplete.")
    state: list[SearchState] | None = Field(
        default=None,
        description="Any of these. `sent` is whatever a provider took; `handed_over`, `delivered`, `read` and `failed` "
        "tell apart what became of it.",
    )
    source: Text | None = None
    lane: Text | None = None
    key_prefix: Text | None = Field(default=None, description="How the idempotency key begins.")
    priority: PriorityName | None = None
    since: Moment | None = None
    until: Moment | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.q is not None and (self.phone_number or self.key or self.text):
            raise ValueError("use either q, or phone_number, key and text")
        return self

    def meant(self) -> MessageFilter:
        """As the history understands it, without the term."""
        states, deliveries = told_apart(self.state or ())
        values = self.model_dump(
            include={"phone_number", "key", "text", "source", "lane", "key_prefix", "priority", "since", "until"}
        )
        return MessageFilter(**values, states=states if self.state else None, deliveries=deliveries)


class MessageQuery(MessageFields):
    """Which messages to list."""

    cursor: Cursor = None
    limit: Limit = 50
    count: bool = Field(default=False, description="Also say how many there are.")


class MessageExportQuery(MessageFields):
    """Which messages to export, and as what."""

    format: Literal["csv", "jsonl"] = Field(default="csv", description="csv for spreadsheets, jsonl for programs.")


class LifeItem(BaseModel):
    """One thing that happened."""

    at: float = Field(description="Unix seconds.")
    name: str = Field(description="Such as `message.queued`, `outcome.sent`.")
    lane: str
    message_id: str
    generation: int = Field(description="Which copy of the message.")
    attempt: int = Field(description="0 for none.")
    source: str = Field(description="Who wrote it: a consumer's id, a publishing service, or who acted.")
    details: Details


class LifeStep(BaseModel):
    """One step of a life: what is on record, with what belongs together in one. Times are unix seconds."""

    name: str = Field(
        description="An event's name; or `attempt.begun`, `attempt.sent`, `attempt.failed`, `attempt.uncertain` for an "
        "attempt, `outage` for attempts in a row that found the provider away or throttling."
    )
    at: float
    until: float
    gap: float = Field(description="Seconds since the step before it ended.")
    attempt: int = Field(description="0 for none.")
    rounds: int = Field(description="Of an outage: how often the provider was asked.")
    by: str = Field(description="The person or service behind it; empty where the consumer did it by itself.")
    failure_class: str
    code: str
    detail: str
    details: Details


class LifeSummary(BaseModel):
    """A life in figures, since the message was published or last re-driven."""

    waited: float | None = Field(description="Seconds until it was sent or ended; until now while it waits.")
    is_over: bool
    attempts: int = Field(description="Those that were counted.")
    rounds: int = Field(description="How often the provider was asked during outages.")
    outage_seconds: float
    consumers: list[str] = Field(description="The processes that made its attempts.")


class MessageItem(BaseModel):
    """A message as it is now. Times are unix seconds."""

    message_id: str
    lane: str
    state: MessageState
    priority: str = Field(description="low, normal, high or urgent.")
    priority_level: int = Field(description="The broker's number.")
    phone_number: str = Field(description="E.164; masked for viewers.")
    message: str | None = Field(description="The text; null for viewers.")
    source: str
    idempotency_key: str | None = Field(description="Null for viewers.")
    metadata: Details | None = Field(description="Null for viewers.")
    purpose: str | None = Field(description="What kind of message it is, in the publisher's word.")
    correlation_id: str | None = Field(description="The publisher's name for the matter; null for viewers.")
    queued_at: float | None
    expires_at: float | None
    deliver_at: float | None = Field(description="Not sent before this, where its body says so.")
    due_at: float | None = Field(description="When it comes back, while it is scheduled, held or retrying.")
    hold: HoldItem | None = Field(default=None, description="What it waits for; null when it does not wait.")
    generation: int
    attempt: int
    provider_id: str | None
    failure_class: str | None
    code: str | None
    detail: str | None
    sent_at: float | None
    changed_at: float | None
    copy_of: str | None = Field(description="The message that this one is an edited copy of.")
    copied_to: str | None = Field(description="The edited copy of this one.")
    undo_id: str | None = Field(description="Of the clearing or purge that took it out.")
    cancelling: bool = Field(description="Its cancellation was requested, and it was not dropped yet.")
    delivery: DeliveryState | None = Field(
        description="What became of it after a provider took it, as far as the provider tells; null where none did, or "
        "another copy is on its way."
    )
    delivered_at: float | None = Field(description="When it came to the person's telephone.")
    read_at: float | None = Field(description="When they opened it.")
    undelivered_at: float | None = Field(description="When it turned out that it did not arrive.")
    delivery_class: str | None = Field(description="Failure class of that; null once it arrived after all.")
    delivery_code: str | None
    delivery_detail: str | None = Field(description="The provider's words for that.")
    provider: str | None = Field(description="Which provider took it.")
    matched_by: list[Kind] = Field(default=[], description="In a search with `q`: what the term was found in.")


class MessagePage(BaseModel):
    """Some messages, newest first."""

    items: list[MessageItem]
    next_cursor: str | None
    total: int | None = Field(default=None, description="How many there are, up to 1,000; null when not asked for.")
    is_total_exact: bool = Field(default=True, description="Whether there are not more than `total`.")
    history: HistoryAge


class WaitingQuery(Strict):
    """Which of the messages that wait to count: those that fit everything that is given."""

    lane: Text | None = Field(default=None, description="The first one when none is named.")
    source: Text | None = None
    key_prefix: Text | None = Field(default=None, description="How the idempotency key begins.")
    priority: PriorityName | None = None
    state: list[MessageState] | None = Field(
        default=None, description="Any of `waiting`, `held`, `retrying` and `scheduled`."
    )
    phone_number: Text | None = Field(default=None, description="In any usual spelling, or a part of the digits.")
    text: Text | None = Field(default=None, description="Words of the text; the last may be incomplete.")

    def meant(self, lane: str) -> MessageFilter:
        """As the history understands it."""
        values = self.model_dump(exclude={"state", "lane"})
        states = PENDING & frozenset(self.state) if self.state else PENDING
        return MessageFilter(**values, lane=lane, states=states)


class SourceItem(BaseModel):
    """How many messages of one source wait."""

    source: str = Field(description="Empty when it could not be read.")
    count: int


class WaitingCounts(BaseModel):
    """How much waits in a lane."""

    total: int = Field(description="In the queue, for another attempt, or for a later time.")
    matching: int = Field(description="Those that fit everything that is given.")
    sources: list[SourceItem] = Field(description="All that wait, by source, the most frequent first.")


class Sources(BaseModel):
    """The publishing services that the history knows."""

    items: list[str]


class MessageDetails(MessageItem):
    """A message and its whole life, oldest first."""

    life: list[LifeItem]
    history: HistoryAge
    steps: list[LifeStep] = Field(description="The same with what belongs together in one step.")
    summary: LifeSummary


class AuditQuery(Strict):
    """Which actions to list: those that fit everything that is given."""

    prefix: list[Annotated[str, Field(max_length=40)]] | None = Field(
        default=None, max_length=20, description="How the events' names begin; `audit.` without this."
    )
    actor: Text | None = Field(default=None, description="Who acted, such as `web:siti`.")
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor = None
    limit: Limit = 50


class AuditMessage(BaseModel):
    """The message that an action was about."""

    message_id: str
    phone_number: str = Field(description="E.164; empty when the history does not know it.")


class AuditItem(LifeItem):
    """What a user did, or tried to do."""

    verdict: Verdict = Field(
        description=(
            "`done`; `looked_at`: it only counted; `denied`: the role, or an unknown client; `refused`: the input; "
            "`too_late`: the thing is not there, or not any more; `failed`: we could not."
        )
    )
    message: AuditMessage | None


class AuditPage(BaseModel):
    """Some of what people did, newest first."""

    items: list[AuditItem]
    next_cursor: str | None


class Actors(BaseModel):
    """Who did something lately."""

    items: list[str]


class WaitItem(BaseModel):
    """How long messages waited until the provider took them: from publish, or from the time they were scheduled for."""

    count: int = Field(description="Of how many messages.")
    mean: float = Field(description="Seconds.")
    p50: float = Field(description="Seconds; half waited no longer. Within 5 %.")
    p95: float = Field(description="Seconds; of twenty, nineteen waited no longer. Within 5 %.")


class BucketItem(BaseModel):
    """What happened in one stretch of time; null where the history knows nothing of it."""

    start: float = Field(description="Unix seconds.")
    end: float = Field(description="Unix seconds.")
    queued: int | None
    sent: int | None
    failed: int | None
    dead: int | None
    waiting: int | None = Field(description="At the end of the stretch.")
    most_waiting: int | None = Field(description="When they were most.")
    waits: dict[str, WaitItem] = Field(description="By the name of the priority.")


class Analytics(BaseModel):
    """What happened, in stretches of about `step` seconds, which begin at usual times of the reader's clock."""

    step: float
    buckets: list[BucketItem]
    history: HistoryAge


class CancelAnswer(BaseModel):
    """The consumer was asked not to send it, or to send it after all."""

    message_id: str
    state: MessageState = Field(description="As it was when that was asked.")
    cancelling: bool = Field(description="Whether it will be dropped when its turn comes.")
