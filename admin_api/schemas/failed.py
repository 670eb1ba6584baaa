"""Dead letters, and the jobs that re-drive them."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool, model_validator

from admin_api.schemas.lane import Details, RetentionAlarmItem
from admin_api.schemas.message import LifeItem, LifeStep, LifeSummary
from admin_api.schemas.values import Cursor, HistoryAge, Limit, Moment, PriorityName, Strict, Text
from antrian.history.records import DeadFilter

Ids = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1, max_length=10_000)]


class FailedItem(BaseModel):
    """A dead letter."""

    message_id: str
    generation: int
    lane: str
    priority: str = Field(description="low, normal, high or urgent.")
    priority_level: int = Field(description="The broker's number.")
    source: str
    died_at: float
    failure_class: str
    code: str
    detail: str
    attempts: int
    phone_number: str = Field(description="E.164; masked for viewers; empty when it cannot be read.")
    message: str | None = Field(description="The text; null for viewers.")
    problem: str = Field(description="Why it cannot be read; empty when it can.")
    note: str
    may_have_arrived: bool = Field(description="The provider had it at least once: the person may get it twice.")


class FailedGroup(BaseModel):
    """Dead letters with one cause."""

    failure_class: str
    code: str
    detail: str
    count: int
    oldest: float
    newest: float


class FailedPage(BaseModel):
    """Some dead letters, newest first; or, when they were asked for, the groups."""

    items: list[FailedItem]
    next_cursor: str | None
    total: int = Field(description="How many fit the filter.")
    groups: list[FailedGroup] | None = Field(description="With `group=true`.")
    retention_alarm: RetentionAlarmItem | None
    history: HistoryAge


class FailedDetails(FailedItem):
    """A dead letter and its whole life, oldest first."""

    life: list[LifeItem]
    history: HistoryAge
    steps: list[LifeStep] = Field(description="The same with what belongs together in one step.")
    summary: LifeSummary


class FailedFilter(Strict):
    """Which dead letters: those that fit everything that is given; `{}` means all."""

    failure_class: Text | None = None
    code: Text | None = None
    detail: Annotated[str, Field(max_length=1_000)] | None = None
    source: Text | None = None
    lane: Text | None = None
    phone_number: Text | None = None
    text: Text | None = None
    since: Moment | None = None
    until: Moment | None = None

    def meant(self) -> DeadFilter:
        """As the history understands it."""
        return DeadFilter(**self.model_dump(include=set(FailedFilter.model_fields)))


class FailedQuery(FailedFilter):
    """Which dead letters to list, and how."""

    group: bool = Field(default=False, description="Count them by failure class, code and the provider's message.")
    cursor: Cursor = None
    limit: Limit = 50


class ExportQuery(FailedFilter):
    """Which dead letters to export, and as what."""

    format: Literal["csv", "jsonl"] = Field(default="csv", description="csv for spreadsheets, jsonl for programs.")


class Chosen(Strict):
    """Either some ids, or a filter."""

    ids: Ids | None = None
    filter: FailedFilter | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Chosen":
        if (self.ids is None) == (self.filter is None):
            raise ValueError("use either ids or filter")
        return self

    def meant(self) -> DeadFilter:
        """As the history understands it."""
        if self.ids is not None:
            return DeadFilter(ids=frozenset(self.ids))
        return self.filter.meant() if self.filter else DeadFilter()


class RedriveRequest(Chosen):
    """What to put back into its lane, and how fast."""

    dry_run: StrictBool = Field(default=False, description="Only say what would be put back.")
    rate: Annotated[float, Field(gt=0, le=10_000, strict=True)] | None = Field(
        default=None, description="At most so many a second."
    )
    canary: Annotated[int, Field(ge=1, le=1_000, strict=True)] | None = Field(
        default=None, description="Put back so many first, and stop if one of them fails again."
    )
    limit: Annotated[int, Field(ge=1, le=10_000_000, strict=True)] | None = Field(
        default=None, description="At most so many, oldest first."
    )
    skip_uncertain: StrictBool = Field(
        default=False, description="Leave out those that may have arrived already; the answer counts them either way."
    )


class DryRunAnswer(BaseModel):
    """What a re-drive would put back."""

    dry_run: bool = True
    selected: int
    unreadable: int = Field(description="Of these; they would stay.")
    may_have_arrived: int = Field(
        description="Of those that fit, how many may have arrived already; with `skip_uncertain` they are left out."
    )
    groups: list[FailedGroup]


class JobItem(BaseModel):
    """A re-drive of many dead letters."""

    job_id: str
    state: str = Field(description="running, done, cancelled, stopped (by its canary), failed or interrupted.")
    actor: str
    started_at: float
    changed_at: float
    selected: int
    done: int
    refused: int
    unreadable: int
    failed_again: int
    detail: str
    cancelling: bool
    may_have_arrived: int = Field(
        default=0,
        description="Of those that fit, how many may have arrived already; with `skip_uncertain` they were left out.",
    )
    options: Details


class JobList(BaseModel):
    """The latest jobs, newest first."""

    items: list[JobItem]


class EditRequest(Strict):
    """What to change before it is sent again; nothing changes nothing."""

    phone_number: Annotated[str, Field(max_length=64)] | None = None
    message: Annotated[str, Field(max_length=4096)] | None = None
    priority: PriorityName | None = None


class RedriveAnswer(BaseModel):
    """The message that will be sent."""

    message_id: str
    copy_of: str | None = Field(description="The dead letter's own id, when this is an edited copy.")
    may_have_arrived: bool = Field(description="The person may have had the message before, and get it twice.")


class NoteRequest(Strict):
    """What an operator wants to remember about a dead letter; empty deletes the note."""

    note: Annotated[str, Field(max_length=1_000)]


class NoteAnswer(BaseModel):
    """The note as it is now."""

    message_id: str
    note: str


class PurgeAnswer(BaseModel):
    """What was deleted."""

    purged: int
    refused: int
    undo_id: str = Field(description="For `POST /undo/{undo_id}`.")
    missing: list[str] = Field(description="Ids that no dead letter has.")
