"""From what the rooms know to what the API says: pure, and the one place where viewers' eyes are covered."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from admin_api.broadcast import public_details
from admin_api.schemas.failed import FailedDetails, FailedGroup, FailedItem, JobItem
from admin_api.schemas.lane import (
    HistoryState,
    HoldItem,
    LaneStatus,
    NextMessage,
    RetentionAlarmItem,
    RetryItem,
    Sending,
    SessionItem,
)
from admin_api.schemas.message import LifeItem, LifeStep, LifeSummary, MessageDetails, MessageItem
from admin_api.schemas.notices import NoticeItem
from admin_api.schemas.values import HistoryAge, priority_fields, with_priority_name
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.hold import Hold
from antrian.domain.lane_limits import NO_LIMITS, Limits
from antrian.domain.phone_number import mask, shown_sender
from antrian.domain.private_text import hide_address, hide_numbers
from antrian.domain.settings import Settings
from antrian.history.possible_arrival import may_have_arrived
from antrian.history.queries import life_line
from antrian.history.records import DeadGroup, DeadRecord, Job, LifeEntry, MessageRecord, MessageState, SenderSession
from antrian.operations.lane.eta import eta_of
from antrian.operations.lane.held_forecast import NOTHING_HELD, HeldMessages, with_held
from antrian.operations.lane.holds import waits_for
from antrian.operations.lane.lane_hold import hold_json
from antrian.operations.lane.look_at_all import Reading


@dataclass(frozen=True, slots=True)
class LaneInHistory:
    """What the history adds to a reading of a lane.

    Attributes:
        waiting: what goes next, in sending order.
        retrying: what comes back for another attempt, soonest first.
        sending: the message being sent; None when there is none, or the history does not know it yet.
        state: how far the history is.
        alarm: dead letters that the history will soon forget.
        held: what is held in the lane.
        held_in_all: how many messages are held in all lanes.
        session: how the sender is connected; None where its provider does not tell.
    """

    waiting: Sequence[MessageRecord]
    retrying: Sequence[MessageRecord]
    sending: MessageRecord | None
    state: HistoryState
    alarm: RetentionAlarmItem | None
    held: HeldMessages = NOTHING_HELD
    held_in_all: int = 0
    session: SenderSession | None = None


def message_item(record: MessageRecord, *, masked: bool, hold: Hold | None = None) -> MessageItem:
    """A message, and what it waits for, as its reader may see them."""
    values = asdict(record)
    values["message"] = values.pop("text")
    values["hold"] = hold_item(hold)
    values |= priority_fields(record.priority)
    return MessageItem.model_validate(values | (_covered(record) if masked else {}))


def message_details(
    record: MessageRecord,
    life: Sequence[LifeEntry],
    age: HistoryAge,
    *,
    masked: bool,
    now: float,
    hold: Hold | None = None,
) -> MessageDetails:
    """A message and its life as their reader may see them."""
    item = message_item(record, masked=masked, hold=hold)
    return MessageDetails(**item.model_dump(), **_life(life, masked=masked, now=now), history=age)


def life_item(entry: LifeEntry, *, masked: bool) -> LifeItem:
    """One thing that happened as its reader may see it."""
    details = public_details(entry.details) if masked else dict(entry.details)
    return LifeItem.model_validate(asdict(entry) | {"details": with_priority_name(details)})


def failed_item(record: DeadRecord, *, masked: bool) -> FailedItem:
    """A dead letter as its reader may see it."""
    values = asdict(record)
    values["message"] = values.pop("text")
    values |= priority_fields(record.priority)
    values["may_have_arrived"] = may_have_arrived(record)
    return FailedItem.model_validate(values | (_covered_letter(record) if masked else {}))


def failed_group(group: DeadGroup, *, masked: bool) -> FailedGroup:
    """Dead letters with one cause as their reader may see them."""
    found = FailedGroup(**asdict(group))
    if masked:
        found.detail = hide_numbers(group.detail)
    return found


def failed_details(
    record: DeadRecord, life: Sequence[LifeEntry], age: HistoryAge, *, masked: bool, now: float
) -> FailedDetails:
    """A dead letter and its life as their reader may see them."""
    item = failed_item(record, masked=masked)
    return FailedDetails(**item.model_dump(), **_life(life, masked=masked, now=now), history=age)


def job_item(job: Job, *, masked: bool) -> JobItem:
    """A job as its reader may see it: what it was asked for may name a number or words of a text."""
    doubtful = job.options.get("may_have_arrived")
    item = JobItem(**asdict(job), may_have_arrived=doubtful if isinstance(doubtful, int) else 0)
    if masked:
        item.options = {name: value for name, value in item.options.items() if name != "filter"}
    return item


def hold_item(hold: Hold | None) -> HoldItem | None:
    """A hold for programs."""
    told = hold_json(hold)
    return None if told is None else HoldItem.model_validate(told)


def next_messages(
    reading: Reading, waiting: Sequence[MessageRecord], *, masked: bool, limits: Limits = NO_LIMITS
) -> list[NextMessage]:
    """What goes next, in sending order; what is being sent already is not among it."""
    being_sent = reading.sending.message_id if reading.sending else ""
    rest = [record for record in waiting if record.message_id != being_sent]
    return [
        NextMessage(
            **_who(record, masked=masked),
            attempt=max(1, record.attempt),
            queued_at=record.queued_at,
            eta_seconds=_rounded(eta_of(record.priority, reading.status, limits, place)),
            hold=hold_item(waits_for(record, reading.status, reading.status.at, place)),
        )
        for place, record in enumerate(rest)
    ]


def retry_item(record: MessageRecord, *, masked: bool) -> RetryItem:
    """A message that comes back for another attempt."""
    hold = hold_item(waits_for(record, None, 0.0))
    return RetryItem(**_who(record, masked=masked), attempt=record.attempt + 1, due_at=record.due_at or 0.0, hold=hold)


def sending_item(event: Event, record: MessageRecord | None, *, masked: bool) -> Sending:
    """The attempt that has no outcome yet; who it goes to is only in the history."""
    level, deadline = event.details.get("priority"), event.details.get("deadline")
    known = record or MessageRecord(
        event.message_id, event.lane, MessageState.SENDING, level if isinstance(level, int) else 0
    )
    return Sending(
        **_who(known, masked=masked),
        attempt=event.attempt,
        since=event.at,
        deadline=deadline if isinstance(deadline, int | float) else None,
    )


def lane_status(reading: Reading, seen: LaneInHistory, settings: Settings, *, masked: bool) -> LaneStatus:
    """A lane's status as its reader may see it."""
    sending = reading.sending if reading.status.in_flight else None
    lane = settings.lanes.known(reading.status.lane)
    known = with_held(reading.status, seen.held, lane.limits)
    reading = replace(reading, status=replace(known, scheduled=max(0, known.scheduled - seen.held_in_all)))
    return LaneStatus(
        **reading.status.as_json(),
        lanes=list(settings.lanes),
        provider=lane.provider,
        sender=_sender(lane.sender, masked=masked),
        is_sandbox=lane.is_sandbox,
        session=session_item(seen.session, masked=masked),
        sending=sending_item(sending, seen.sending, masked=masked) if sending else None,
        next_messages=next_messages(reading, seen.waiting, masked=masked, limits=lane.limits),
        retries=[retry_item(record, masked=masked) for record in seen.retrying],
        history=seen.state,
        retention_alarm=seen.alarm,
    )


#: What providers tell that is about no message: the event, and what the API calls it.
NOTICES: Mapping[str, Literal["session", "account", "unreadable"]] = {
    EventName.RECEIPT_SESSION: "session",
    EventName.RECEIPT_ACCOUNT: "account",
    EventName.RECEIPT_UNREADABLE: "unreadable",
}


def notice_item(entry: LifeEntry, *, masked: bool) -> NoticeItem:
    """What a provider told, as its reader may see it."""
    about = {name: str(entry.details.get(name) or "") for name in ("provider", "state", "kind", "detail", "reason")}
    detail = about["detail"] or about["reason"]
    return NoticeItem(
        at=entry.at,
        lane=entry.lane,
        provider=about["provider"],
        kind=NOTICES[entry.name],
        state=about["state"] or about["kind"],
        detail=hide_numbers(detail) if masked else detail,
    )


def session_item(session: SenderSession | None, *, masked: bool) -> SessionItem | None:
    """How a sender is connected, as its reader may see it; None where its provider does not tell."""
    if session is None:
        return None
    detail = hide_numbers(session.detail) if masked else session.detail
    return SessionItem(state=session.state, at=session.at, detail=detail)


def _who(record: MessageRecord, *, masked: bool) -> dict[str, Any]:
    number = record.phone_number
    return {
        "message_id": record.message_id,
        "phone_number": mask(number) if masked and number else number,
        "source": record.source,
        **priority_fields(record.priority),
    }


def _sender(sender: str | None, *, masked: bool) -> str | None:
    return None if sender is None else shown_sender(sender, masked=masked)


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
        "phone_number": mask(record.phone_number),
        "message": None,
        "detail": hide_numbers(record.detail),
        "note": hide_numbers(record.note),
    }


def _covered(record: MessageRecord) -> dict[str, str | None]:
    detail = hide_numbers(record.detail) if record.detail else record.detail
    return {
        "phone_number": mask(record.phone_number),
        "message": None,
        "idempotency_key": None,
        "metadata": None,
        "correlation_id": None,
        "provider_id": record.provider_id and hide_address(record.provider_id),
        "detail": detail,
        "delivery_detail": record.delivery_detail and hide_numbers(record.delivery_detail),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
