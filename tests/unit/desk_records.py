"""Records of the history for tests of the dead-letter service."""

from typing import Any

from factories import NOW, PHONE

from antrian.history.records import DeadRecord, LifeEntry, MessageRecord, MessageState
from antrian.history.removal import Removed


def entry(name: str, *, generation: int = 0, attempt: int = 0, at: float = NOW, **details: Any) -> LifeEntry:
    return LifeEntry(0, 0, at, name, "default", "m1", generation, attempt, "test", details)


def record(**fields: Any) -> MessageRecord:
    about = {
        "message_id": "m1",
        "lane": "default",
        "state": MessageState.CLEARED,
        "priority": 5,
        "phone_number": PHONE,
        "text": "Halo",
        "source": "test",
        "queued_at": NOW,
    }
    return MessageRecord(**(about | fields))


def cleared(**fields: Any) -> Removed:
    about = {"message": record(), "generation": 0, "queue": "wa.lane.default", "due_at": None, "dead": None}
    return Removed(**(about | {"restored": False} | fields))


def dead_record(**fields: Any) -> DeadRecord:
    about = {
        "message_id": "m1",
        "generation": 1,
        "lane": "default",
        "priority": 5,
        "source": "test",
        "died_at": NOW,
        "failure_class": "transient",
        "code": "timeout",
        "detail": "no answer",
        "attempts": 3,
        "phone_number": PHONE,
        "text": "Halo",
        "problem": "",
        "note": "",
        "body": b"{}",
        "headers": {},
    }
    return DeadRecord(**(about | fields))
