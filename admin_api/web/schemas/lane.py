"""A lane: its status, and what can be done about it."""

from typing import Any

from pydantic import BaseModel, Field

from admin_api.lane.clearing import Scope
from admin_api.lane.status import Reason
from admin_api.web.schemas.ingest import Moment
from admin_api.web.schemas.values import PriorityName, Strict
from broker.message_body import LONGEST_KEY


class NextMessage(BaseModel):
    """A message that waits, in sending order."""

    message_id: str
    phone_number: str = Field(description="E.164; masked for viewers.")
    priority: int
    attempt: int = Field(description="Which attempt comes next, first = 1.")
    queued_at: float | None = Field(description="When its publisher made it, unix seconds.")
    eta_seconds: float | None = Field(description="None when nobody can tell: the lane is paused, or nobody sends.")


class Sending(BaseModel):
    """The attempt that has no outcome yet."""

    message_id: str
    attempt: int
    since: float = Field(description="Unix seconds.")


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
    gaps: list[str] = Field(description="What the history never saw, a sentence each.")


class RetentionAlarm(BaseModel):
    """Dead letters that the history will soon forget."""

    count: int
    oldest: float | None = Field(description="When the oldest of them was given up, unix seconds.")
    seconds_left: float | None = Field(description="Until the history forgets it.")


class LaneStatus(BaseModel):
    """A lane at one moment. Times are unix seconds, durations seconds."""

    lane: str
    lanes: list[str] = Field(description="All lanes.")
    at: float
    queue_length: int = Field(description="What waits in the lane, the message being sent included.")
    is_processing: bool = Field(description="A message is being sent, or the pause after it is running.")
    failed_messages: int = Field(description="Dead letters of all lanes.")
    estimated_time: float = Field(description="Until everything queued now has been sent.")
    waiting: int
    in_flight: int
    retrying: int
    scheduled: int
    consumers: int
    running: bool
    paused: bool
    paused_by: str | None
    paused_at: float | None
    last_sent_at: float | None
    next_send_in: float | None
    next_send_reason: Reason
    delay: float
    provider: str
    sending: Sending | None
    next_messages: list[NextMessage]
    history: HistoryState
    retention_alarm: RetentionAlarm | None


class ClearRequest(Strict):
    """What to clear; without a body, what waits."""

    scope: Scope = Scope.QUEUED


class ClearAnswer(BaseModel):
    """What was taken out."""

    cleared_queued: int
    cleared_failed: int
    in_flight: int = Field(description="Being sent at that moment; not touched.")
    undo_id: str = Field(description="For `POST /undo/{undo_id}`.")
    refused: int = Field(description="Stay, because the broker did not accept the record of their going.")


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
    forced: bool = Field(description="Whether a consumer was there to hear it.")
    resumed: bool


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


Details = dict[str, Any]
