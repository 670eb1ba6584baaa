"""How the system is."""

from typing import Literal

from pydantic import BaseModel, Field

from admin_api.schemas.lane import SessionItem


class FindingItem(BaseModel):
    """What is said about one thing."""

    subject: str = Field(description="A bounded word, such as `topology`.")
    state: Literal["ok", "warning", "problem"]
    found: str = Field(description="One sentence.")
    todo: str = Field(description="What to do about it; empty when it is as it should be.")


class LaneFacts(BaseModel):
    """What a lane sends with."""

    lane: str
    sender: str = Field(description="The number that it sends from; masked for viewers, empty when it has none.")
    provider: str
    delay: float = Field(description="Seconds between two sends.")
    jitter: float = Field(description="Up to so many more.")
    not_kept: list[str] = Field(description="What is set for it and not used by this version yet.")
    session: SessionItem | None = Field(
        default=None, description="The sender's connection; null where its provider does not tell."
    )


class HistoryHealth(BaseModel):
    """How far the history has read the journal."""

    entries: int
    behind_seconds: float
    writes: bool = Field(description="Whether this process writes the history; another one may.")
    trouble: str = Field(description="Why it does not go on; empty when it does.")


class DoctorReport(BaseModel):
    """What `antrian doctor` finds, and what this process knows of itself."""

    at: float = Field(description="When it was looked at, unix seconds.")
    is_complete: bool = Field(description="Whether everything was looked at; it may take longer than a request may.")
    ok: bool = Field(description="Whether there is no problem.")
    problems: int
    warnings: int
    findings: list[FindingItem]
    versions: dict[str, str] = Field(description="Of Antrian, Python and, when it is known, RabbitMQ.")
    provider: str = Field(description="Of the first lane.")
    delay: float = Field(description="Seconds between two sends of the first lane.")
    jitter: float = Field(description="Up to so many more.")
    lanes: list[LaneFacts]
    history: HistoryHealth
