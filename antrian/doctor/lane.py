"""Whether a consumer sends, whether another stands by, and what the lane waits for."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pika.adapters.blocking_connection import BlockingChannel

from antrian.doctor.finding import Finding, ok, problem, warning
from antrian.domain.errors import BrokerError
from antrian.domain.human_time import rough_duration
from antrian.domain.settings import Settings
from antrian.operations.lane.lanes_reader import LaneNotDeclared, LanesReader
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


def look(
    channel: BlockingChannel, settings: Settings, names: Sequence[str]
) -> Iterator[tuple[str, Status | BrokerError]]:
    """Each lane's status, with the most consumers that were seen within a second; or why there is none.

    Raises:
        BrokerError: this user may not look.
    """
    reader = LanesReader(channel, settings)
    reader.catch_up(names)
    found = {name: _status(reader, name) for name in names}
    for _ in range(_LOOKS - 1):
        few = [
            name for name, one in found.items() if isinstance(one, Status) and one.running and one.consumers < _ENOUGH
        ]
        if not few:
            break
        reader.listen(_BETWEEN_LOOKS)
        for name in few:
            found[name] = _with_most_consumers(found[name], _status(reader, name))
    yield from found.items()


def _status(reader: LanesReader, name: str) -> Status | BrokerError:
    try:
        return reader.status(name)
    except LaneNotDeclared as error:
        return error


def _with_most_consumers(before: Status | BrokerError, now: Status | BrokerError) -> Status | BrokerError:
    if isinstance(before, Status) and isinstance(now, Status):
        return replace(now, consumers=max(before.consumers, now.consumers))
    return now


def clock_ahead(status: Status) -> float:
    """Seconds by which the lane's last send lies in our future; 0 when it does not."""
    return max(0.0, (status.last_sent_at or 0.0) - time.time())
