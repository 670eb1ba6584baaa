"""Contacts: what each sender knows of a person, and what people opted out of."""

from pydantic import BaseModel, Field

from admin_api.schemas.values import Strict, Text
from antrian.contacts.fold import LONGEST_WORDS
from antrian.domain.contact import Standing
from antrian.operations.contacts.opt_outs import USUAL_PURPOSE

_NUMBER = Field(description="E.164; masked for viewers.", examples=["+6281234567890"])


class SenderItem(BaseModel):
    """What one sender knows of a person."""

    sender: str = Field(description="Its number, or the provider's name for it; masked for viewers.")
    lane: str | None = Field(description="Which lane sends for it; null when none does any more.")
    standing: Standing = Field(
        description="cold: a new contact; contacted: a provider took a message for them; known: they wrote, received, "
        "or were imported."
    )
    since: float | None = Field(description="Since when that is so, unix seconds.")
    first_sent_at: float | None = Field(description="When they were first written to as a new contact, unix seconds.")
    last_sent_at: float | None = Field(description="And when last.")
    refused_at: float | None = Field(description="When the provider last refused them as a new contact, unix seconds.")


class OptOutProof(BaseModel):
    """An opt-out in force, with its proof."""

    purpose: str = Field(description="transaction, reminder, marketing or all.")
    at: float = Field(description="Unix seconds.")
    by: str = Field(description="Who recorded it; the person, where they wrote it themselves.")
    words: str = Field(description="What the person said; numbers in it are hidden from viewers.")
    channel: str = Field(description="Where it was recorded: api, cli, page, or inbound.")


class OptOutItem(OptOutProof):
    """An opt-out in a list."""

    phone_number: str = _NUMBER


class Identities(BaseModel):
    """What else a person is found by."""

    bsuid: str | None
    lid: str | None


class ContactAnswer(BaseModel):
    """All that is known of a person."""

    phone_number: str = _NUMBER
    timezone: str | None = Field(description="The person's own, if it is known.", examples=["Asia/Makassar"])
    senders: list[SenderItem]
    opt_outs: list[OptOutProof]
    identities: Identities


class OptOutPageAnswer(BaseModel):
    """Some of the opt-outs in force, newest first."""

    items: list[OptOutItem]
    total: int
    next_cursor: str | None


class NewOptOut(Strict):
    """A person who wants no messages of a purpose any more."""

    phone_number: Text = Field(examples=["0812-3456-7890"])
    purpose: Text = Field(default=USUAL_PURPOSE.value, description="transaction, reminder, marketing or all.")
    words: str = Field(default="", max_length=LONGEST_WORDS, description="What the person said; kept as the proof.")


class OptOutAnswer(BaseModel):
    """What was recorded."""

    phone_number: str = _NUMBER
    purpose: str
    opted_out: bool = Field(description="Whether they want no such messages now.")
    at: float = Field(description="Unix seconds.")
