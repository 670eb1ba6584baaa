"""Messages from services that speak HTTP instead of AMQP: the same contract, the same checks."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field

from admin_api.schemas.values import PriorityName, Strict
from antrian.domain.body import LONGEST_CORRELATION_ID, LONGEST_KEY, LONGEST_MESSAGE, LONGEST_SOURCE

#: Messages in one batch.
LARGEST_BATCH = 1_000


def _written(value: object) -> object:
    if value is None or isinstance(value, datetime | str):
        return value
    raise ValueError("must be an RFC 3339 time with its offset")


Moment = Annotated[AwareDatetime | None, BeforeValidator(_written)]


class NewMessage(Strict):
    """A message to send. `docs/reference/message.md` describes the fields."""

    phone_number: str = Field(max_length=64, examples=["081234567890"])
    message: str = Field(max_length=LONGEST_MESSAGE, examples=["Bayar di https://example.com/bayar/17"])
    priority: PriorityName = "normal"
    lane: str | None = Field(default=None, max_length=40, description="Needed only where there are several.")
    source: str | None = Field(
        default=None,
        max_length=LONGEST_SOURCE,
        description="The token's name without it; not the name of another publisher's token.",
    )
    idempotency_key: str | None = Field(
        default=None, max_length=LONGEST_KEY, description="Instead of the header Idempotency-Key."
    )
    expires_at: Moment = None
    deliver_at: Moment = None
    metadata: dict[str, str | int | float | bool | None] | None = None
    purpose: str | None = Field(default=None, max_length=40, examples=["payment", "reminder"])
    correlation_id: str | None = Field(
        default=None, max_length=LONGEST_CORRELATION_ID, description="Comes back with each event about the message."
    )


class Batch(Strict):
    """Up to 1,000 messages; each is accepted or refused for itself."""

    messages: list[NewMessage] = Field(min_length=1, max_length=LARGEST_BATCH)


class BatchItem(BaseModel):
    """What became of one of them, in the batch's order."""

    status: int = Field(description="202 accepted, 422 refused, 503 not accepted now: send it again.")
    message_id: str | None = None
    code: str | None = None
    detail: str | None = None


class BatchAnswer(BaseModel):
    """What became of them."""

    accepted: int
    items: list[BatchItem]
