"""A report on a period; no number and no text of a message is in it."""

from pydantic import BaseModel, Field

from admin_api.schemas.message import WaitItem
from antrian.history.queries.report import Period

_RATE = "Sent, as a part of sent and failed; null when there were none."


class TotalsItem(BaseModel):
    """What became of the messages that ended in a period."""

    sent: int = Field(description="Handed over to the provider, which accepted them.")
    failed: int = Field(description="Given up or out of time, and not on their way again since.")
    success_rate: float | None = Field(description=_RATE)
    wait: WaitItem | None
    opted_out: int = Field(default=0, description="Not sent, because their recipients do not want such messages.")


class SourceFiguresItem(BaseModel):
    """The messages of one publishing service."""

    name: str = Field(description="Empty when it is not known.")
    sent: int
    failed: int
    success_rate: float | None = Field(description=_RATE)
    over_time: list[int] = Field(description="Sent in each hour of the day; for several days, on each of them.")
    opted_out: int = Field(default=0, description="Not sent, because their recipients do not want such messages.")


class DayItem(BaseModel):
    """One day of the reader's clock."""

    date: str = Field(examples=["2026-11-28"])
    sent: int | None = Field(description="Null where the history does not go back so far.")
    failed: int | None
    hours: list[int | None] = Field(description="Sent in each hour of the day, 24 numbers.")


class CauseItem(BaseModel):
    """What messages failed of."""

    failure_class: str = Field(description="Or `expired`.")
    code: str
    count: int


class HeldItem(BaseModel):
    """How long messages were held for one reason."""

    reason: str = Field(examples=["cold_cap"])
    count: int = Field(description="Holds that ended; a message can be held more than once.")
    seconds: float = Field(description="What they lasted together.")


class DeliveryFiguresItem(BaseModel):
    """What became of the messages that one provider took, or that were sent from one lane."""

    name: str = Field(description="Of the provider or the lane; empty when it is not known.")
    handed_over: int = Field(description="Taken by the provider.")
    delivered: int = Field(description="Of these, arrived; those that were read included.")
    read: int
    failed: int = Field(description="Of these, did not arrive.")
    unknown: int = Field(description="Of these, nothing more is known.")
    delivery_rate: float | None = Field(
        description="Delivered, as a part of delivered and failed; null where nothing is known."
    )
    read_rate: float | None = Field(description="Read, as a part of delivered; null where nothing was.")
    time: WaitItem | None = Field(description="From the provider's acceptance to the arrival.")


class ReportAnswer(BaseModel):
    """What was sent in a period, and how long it took. Times are unix seconds."""

    period: Period
    timezone: str
    since: float
    until: float
    known_since: float | None = Field(description="When the figures begin, if that is after `since`.")
    waiting: int = Field(description="Messages that have no end yet, now.")
    totals: TotalsItem
    before: TotalsItem | None = Field(
        description="Of the period before, up to the same quarter of an hour; null when it is not known completely."
    )
    before_since: float
    waits: dict[str, WaitItem] = Field(description="By the name of the priority.")
    sources: list[SourceFiguresItem]
    days: list[DayItem]
    causes: list[CauseItem]
    held: list[HeldItem] = Field(default=[], description="The longest first.")
    providers: list[DeliveryFiguresItem] = Field(
        default=[], description="What became of what each provider took in the period, the busiest first."
    )
    lanes: list[DeliveryFiguresItem] = Field(default=[], description="The same by lane.")
