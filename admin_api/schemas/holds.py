"""What the messages of a lane wait for."""

from pydantic import BaseModel, Field

from admin_api.schemas.lane import BudgetItem, HoldItem
from admin_api.schemas.values import HistoryAge
from antrian.domain.hold import HoldReason


class ReasonItem(BaseModel):
    """The messages of a lane that wait for one thing."""

    reason: HoldReason
    count: int
    next_release: float | None = Field(
        description="When the first of them may go on, unix seconds; null when nobody can tell."
    )
    last_release: float | None = Field(description="When the last of them may; null when nobody can tell.")
    rule: str | None = Field(description="What set it, such as `cold_daily_cap 20`; of several, one of them.")


class HoldsAnswer(BaseModel):
    """What the messages of a lane wait for, by reason. Times are unix seconds."""

    lane: str
    lane_hold: HoldItem | None = Field(
        description="What a message in the lane's queue waits for; null when the broker does not answer."
    )
    reasons: list[ReasonItem] = Field(description="Those that any message has, in the order in which they apply.")
    budget: BudgetItem | None = Field(description="What the lane may still send; null when the broker does not answer.")
    cold_held_until: float | None = Field(
        description="Until when messages to new contacts are held, because WhatsApp refused one; null when none is."
    )
    history: HistoryAge
