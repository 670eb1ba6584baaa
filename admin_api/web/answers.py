"""From what the rooms know to what the API says: pure, and the one place where viewers' eyes are covered."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from admin_api.access.masking import hide_numbers, mask_number
from admin_api.desk.arrival import may_have_arrived
from admin_api.history import life_line
from admin_api.history.records import DeadGroup, DeadRecord, Job, LifeEntry, MessageRecord
from admin_api.lane.eta import eta_seconds
from admin_api.lane.observer import Reading
from admin_api.web.broadcast import public_details
from admin_api.web.schemas.failed import FailedDetails, FailedGroup, FailedItem, JobItem
from admin_api.web.schemas.lane import HistoryState, LaneStatus, NextMessage, RetentionAlarm, Sending
from admin_api.web.schemas.message import LifeItem, LifeStep, LifeSummary, MessageDetails, MessageItem
from broker.settings import Settings


def message_item(record: MessageRecord, *, masked: bool) -> MessageItem:
    """A message as its reader may see it."""
    values = asdict(record)
    values["message"] = values.pop("text")
    return MessageItem.model_validate(values | (_covered(record) if masked else {}))


def message_details(record: MessageRecord, life: Sequence[LifeEntry], *, masked: bool, now: float) -> MessageDetails:
    """A message and its life as their reader may see them."""
    item = message_item(record, masked=masked)
    return MessageDetails(**item.model_dump(), **_life(life, masked=masked, now=now))


def life_item(entry: LifeEntry, *, masked: bool) -> LifeItem:
    """One thing that happened as its reader may see it."""
    details = public_details(entry.details) if masked else dict(entry.details)
    return LifeItem.model_validate(asdict(entry) | {"details": details})


def failed_item(record: DeadRecord, *, masked: bool) -> FailedItem:
    """A dead letter as its reader may see it."""
    values = asdict(record)
    values["message"] = values.pop("text")
    values["may_have_arrived"] = may_have_arrived(record)
    return FailedItem.model_validate(values | (_covered_letter(record) if masked else {}))


def failed_group(group: DeadGroup, *, masked: bool) -> FailedGroup:
    """Dead letters with one cause as their reader may see them."""
    found = FailedGroup(**asdict(group))
    if masked:
        found.detail = hide_numbers(group.detail)
    return found


def failed_details(record: DeadRecord, life: Sequence[LifeEntry], *, masked: bool, now: float) -> FailedDetails:
    """A dead letter and its life as their reader may see them."""
    item = failed_item(record, masked=masked)
    return FailedDetails(**item.model_dump(), **_life(life, masked=masked, now=now))


def job_item(job: Job, *, masked: bool) -> JobItem:
    """A job as its reader may see it: what it was asked for may name a number or words of a text."""
    doubtful = job.options.get("may_have_arrived")
    item = JobItem(**asdict(job), may_have_arrived=doubtful if isinstance(doubtful, int) else 0)
    if masked:
        item.options = {name: value for name, value in item.options.items() if name != "filter"}
    return item


def next_messages(
    reading: Reading, waiting: Sequence[MessageRecord], delay: float, *, masked: bool
) -> list[NextMessage]:
    """What goes next, in sending order; what is being sent already is not among it."""
    being_sent = reading.sending.message_id if reading.sending else ""
    rest = [record for record in waiting if record.message_id != being_sent]
    return [
        NextMessage(
            message_id=record.message_id,
            phone_number=mask_number(record.phone_number) if masked else record.phone_number,
            priority=record.priority,
            attempt=max(1, record.attempt),
            queued_at=record.queued_at,
            eta_seconds=_rounded(eta_seconds(reading.status, place, delay)),
        )
        for place, record in enumerate(rest)
    ]


def lane_status(
    reading: Reading,
    waiting: Sequence[MessageRecord],
    history: HistoryState,
    alarm: RetentionAlarm | None,
    settings: Settings,
    *,
    masked: bool,
) -> LaneStatus:
    """A lane's status as its reader may see it."""
    sending = reading.sending if reading.status.in_flight else None
    delay = settings.whatsapp_queue_delay
    return LaneStatus(
        **reading.status.as_json(),
        lanes=list(settings.senders),
        delay=delay,
        provider=settings.whatsapp_provider,
        sending=Sending(message_id=sending.message_id, attempt=sending.attempt, since=sending.at) if sending else None,
        next_messages=next_messages(reading, waiting, delay, masked=masked),
        history=history,
        retention_alarm=alarm,
    )


def _life(life: Sequence[LifeEntry], *, masked: bool, now: float) -> dict[str, Any]:
    items = [life_item(entry, masked=masked) for entry in life]
    seen = [replace(entry, details=item.details) for entry, item in zip(life, items, strict=True)]
    steps = life_line.fold(seen)
    return {
        "life": items,
        "steps": [LifeStep(**asdict(step)) for step in steps],
        "summary": LifeSummary(**asdict(life_line.summarize(steps, now))),
    }


def _covered_letter(record: DeadRecord) -> dict[str, str | None]:
    return {
        "phone_number": mask_number(record.phone_number),
        "message": None,
        "detail": hide_numbers(record.detail),
        "note": hide_numbers(record.note),
    }


def _covered(record: MessageRecord) -> dict[str, str | None]:
    detail = hide_numbers(record.detail) if record.detail else record.detail
    number = mask_number(record.phone_number)
    return {"phone_number": number, "message": None, "idempotency_key": None, "metadata": None, "detail": detail}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
