"""Whether a consumer sends, whether another stands by, and what the lane waits for."""

import time
from collections.abc import Iterator
from dataclasses import replace

from pika.adapters.blocking_connection import BlockingChannel

from antrian.doctor.finding import Finding, ok, problem, warning
from antrian.domain.human_time import rough_duration
from antrian.domain.settings import Settings
from antrian.operations.lane.lane_reader import LaneReader
from antrian.operations.lane.status import Reason, Status

SUBJECT = "lane"

#: Active and standby.
_ENOUGH = 2

#: A standby that has just ended its wait, or has just come, is counted a moment later.
_LOOKS, _BETWEEN_LOOKS = 4, 0.3


def check(status: Status, *, needs_standby: bool = True) -> Iterator[Finding]:
    """What a lane's status means.

    Args:
        status: of the lane.
        needs_standby: whether a single consumer is a fault; it is none beside `antrian up`, which runs only one.
    """
    yield _consumers(status, needs_standby=needs_standby)
    if status.paused:
        who, waiting = status.paused_by, status.waiting
        ago = rough_duration(status.at - status.paused_at) if status.paused_at else ""
        yield warning(
            SUBJECT,
            f"Lane {status.lane} was paused by {who} {ago} ago, and {waiting} messages wait."
            if ago
            else f"Lane {status.lane} was paused by {who}, and {waiting} messages wait.",
            f"Ask why, then run `antrian resume --lane {status.lane}`.",
        )
    if status.needs_newer_consumer:
        yield warning(
            SUBJECT,
            f"{status.needs_newer_consumer} messages in lane {status.lane} wait for a newer consumer.",
            "Upgrade the consumers (docs/howto/upgrade.md).",
        )
    if status.next_send_reason is Reason.UNAVAILABLE:
        yield problem(
            SUBJECT,
            f"Lane {status.lane} is on hold: the provider cannot be reached, or refuses key, sender or plan.",
            "Follow docs/runbooks/AntrianBreakerOpen.md.",
        )
    if status.next_send_reason is Reason.THROTTLED:
        yield warning(
            SUBJECT,
            f"Lane {status.lane} is on hold for {rough_duration(status.next_send_in or 0)}: "
            "the provider asked for fewer messages.",
            "Wait, or increase WHATSAPP_QUEUE_DELAY.",
        )


def _consumers(status: Status, *, needs_standby: bool) -> Finding:
    lane = status.lane
    if not status.running:
        return problem(
            SUBJECT,
            f"No consumer serves lane {lane}, and {status.waiting} messages wait.",
            "Start `antrian consume` (docs/howto/production.md).",
        )
    if status.consumers >= _ENOUGH:
        return ok(SUBJECT, f"{status.consumers} consumers serve lane {lane}: one sends, the others stand by.")
    if status.consumers == 0:
        return ok(
            SUBJECT,
            f"A consumer serves lane {lane}; while it waits ({status.next_send_reason}), consumers cannot be counted.",
        )
    if not needs_standby:
        return ok(SUBJECT, f"One consumer serves lane {lane}; `antrian up` runs no standby.")
    return warning(
        SUBJECT,
        f"One consumer serves lane {lane}, and there is no standby.",
        "Start a second `antrian consume` on another machine: it takes over when the first one dies.",
    )


def look(channel: BlockingChannel, settings: Settings, lane: str) -> Status:
    """The lane's status, with the most consumers that were seen within a second.

    Raises:
        BrokerError: there is no such lane, or this user may not look.
    """
    reader = LaneReader(channel, settings, lane)
    reader.catch_up()
    most = 0
    for look_again in range(_LOOKS):
        if look_again:
            reader.listen(_BETWEEN_LOOKS)
        status = reader.status()
        most = max(most, status.consumers)
        if most >= _ENOUGH or not status.running:
            break
    return replace(status, consumers=most)


def clock_ahead(status: Status) -> float:
    """Seconds by which the lane's last send lies in our future; 0 when it does not."""
    return max(0.0, (status.last_sent_at or 0.0) - time.time())
