"""When so many messages would be sent, and what would hold them."""

from pydantic import BaseModel, Field

from admin_api.schemas.values import PriorityName, Strict
from antrian.domain.hold import HoldReason

#: A body of so many numbers is far below the largest that is read.
MOST_PEOPLE = 10_000


class PlanForPeople(Strict):
    """A message for each of these people."""

    phone_numbers: list[str] = Field(
        description="In any usual spelling; a number for each message.", min_length=1, max_length=MOST_PEOPLE
    )
    priority: PriorityName = "normal"
    deadline: float | None = Field(default=None, description="Unix seconds.", allow_inf_nan=False)


class PlanMoments(BaseModel):
    """When the last message has been sent, unix seconds."""

    p50: float = Field(description="In half of all cases at the latest.")
    p90: float = Field(description="In nine of ten.")


class PlanSeconds(BaseModel):
    """The same from now on, in seconds."""

    p50: float
    p90: float


class PlanHeld(BaseModel):
    """What one reason holds."""

    reason: HoldReason
    messages: int = Field(description="How many messages it holds.")
    seconds: float = Field(description="For how long it holds any of them.")


class PlanWeek(BaseModel):
    """A week of a new number."""

    week: int = Field(description="From 1.")
    sent: int = Field(description="How many of the messages it would send in it.")


class PlanAnswer(BaseModel):
    """A forecast: nothing is queued by it."""

    lane: str
    messages: int = Field(description="How many messages are planned: those asked for, or else those that wait.")
    finish: PlanMoments
    seconds: PlanSeconds
    held: list[PlanHeld] = Field(description="What holds the messages, in the order in which the reasons apply.")
    senders_needed: int | None = Field(
        description="With how many senders like this one the deadline is kept; 0 when no number is enough, null "
        "without a deadline."
    )
    weeks: list[PlanWeek] = Field(description="What a new number, which knows nobody, would send of the messages.")
    assumptions: list[str] = Field(description="What the answer rests on, a sentence each.")
