"""Messages and what happened to them."""

from pydantic import BaseModel, Field

from admin_api.history.records import MessageFilter, State
from admin_api.web.schemas.lane import Details
from admin_api.web.schemas.values import Cursor, HistoryAge, Limit, Moment, Strict, Text


class MessageQuery(Strict):
    """Which messages to list: those that fit everything that is given."""

    phone_number: Text | None = Field(default=None, description="In any usual spelling, or a part of the digits.")
    key: Text | None = Field(default=None, description="An idempotency key, message id or provider id, exactly.")
    text: Text | None = Field(default=None, description="Words of the text; the last may be begun only.")
    state: list[State] | None = Field(default=None, description="Any of these.")
    source: Text | None = None
    lane: Text | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor = None
    limit: Limit = 50

    def meant(self) -> MessageFilter:
        """As the history understands it."""
        states = frozenset(self.state) if self.state else None
        values = self.model_dump(exclude={"state", "cursor", "limit"})
        return MessageFilter(**values, states=states)


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
    state: State
    priority: str = Field(description="low, normal, high or urgent.")
    priority_level: int = Field(description="The broker's number.")
    phone_number: str = Field(description="E.164; masked for viewers.")
    message: str | None = Field(description="The text; null for viewers.")
    source: str
    idempotency_key: str | None = Field(description="Null for viewers.")
    metadata: Details | None = Field(description="Null for viewers.")
    queued_at: float | None
    expires_at: float | None
    due_at: float | None = Field(description="When it comes back, while it is scheduled or retrying.")
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
    cancelling: bool = Field(description="Somebody asked that it not be sent, and it was not dropped yet.")


class MessagePage(BaseModel):
    """Some messages, newest first."""

    items: list[MessageItem]
    next_cursor: str | None
    history: HistoryAge


class MessageDetails(MessageItem):
    """A message and its whole life, oldest first."""

    life: list[LifeItem]
    history: HistoryAge
    steps: list[LifeStep] = Field(description="The same with what belongs together in one step.")
    summary: LifeSummary


class LifePage(BaseModel):
    """Some of what happened, newest first."""

    items: list[LifeItem]
    next_cursor: str | None


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
    state: State = Field(description="As it was when that was asked.")
    cancelling: bool = Field(description="Whether it is to be dropped when its turn comes.")
