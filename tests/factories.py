"""Messages, events, failures and settings for tests that care about one of their traits."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.message import Message, new_message
from antrian.domain.settings import Settings, load_settings
from antrian.providers.contract import Failed
from consumer.lane.snapshot import LaneSnapshot

#: Some moment; tests that need no other clock begin here. Unix seconds.
NOW = 1_800_000_000.0
LANE = "default"
PHONE = "+6281234567890"


def make_settings(**variables: str) -> Settings:
    """Settings that take nothing from the surroundings."""
    return load_settings({"AMQP_URL": "amqp://127.0.0.1:1/", **variables})


def make_message(
    message_id: str = "m1",
    *,
    attempt: int = 1,
    generation: int = 0,
    key: str | None = None,
    expires_at: datetime | None = None,
    phone: str = PHONE,
    **fields: Any,
) -> Message:
    message = new_message(
        phone,
        "Halo",
        source=fields.pop("source", "test"),
        now=NOW,
        message_id=message_id,
        idempotency_key=key,
        expires_at=expires_at,
        **fields,
    )
    return Message(
        message.message_id, message.lane, message.priority, message.body, message.queued_at, attempt, generation
    )


def make_event(name: str, message_id: str = "m1", *, at: float = NOW, lane: str = LANE, **fields: Any) -> Event:
    """An `outcome.…` event; what `Event` does not know becomes a detail."""
    known = {field: fields.pop(field) for field in ("generation", "attempt", "source") if field in fields}
    return Event(f"outcome.{name}", at, lane, message_id, **{"attempt": 1, **known}, details=fields)


def make_lane_snapshot(**facts: Any) -> LaneSnapshot:
    """A connected, active lane that has nothing to wait for."""
    return replace(LaneSnapshot.of_an_idle(LANE), **facts)


def make_failure(
    failure_class: FailureClass = FailureClass.TRANSIENT, code: str = "busy", retry_after: float | None = None
) -> Failed:
    return Failed(failure_class, code, "the provider's words", retry_after)
