"""Commands to the running consumers, over the control exchange.

A command reaches the processes that listen at that moment. What must last is kept elsewhere: a pause in the lane's
state queue, a cancellation in the outcomes stream.
"""

import json
import time
import uuid
from dataclasses import dataclass
from enum import StrEnum

import pika

#: As the lane of a command: all of them.
EVERY_LANE = "*"

#: Seconds within which a consumer must choose the message of `try-one`; the caller waits about as long for the answer.
CHOICE_SECONDS = 5.0

#: Seconds after which `try-one` is not obeyed any more by a process that stood still; clocks may differ by less.
TRY_ONE_SECONDS = 60.0


class Command(StrEnum):
    """What a consumer can be told."""

    #: The lane's state queue has changed: read the new state from this message.
    PAUSE = "pause"
    RESUME = "resume"
    #: End the current pause, backoff or breaker wait, once.
    FORCE = "force"
    #: An urgent message is in the queue: end the current pause for it.
    URGENT = "urgent"
    #: Send exactly one message of a paused lane, which stays paused.
    TRY_ONE = "try-one"
    #: The caller does not wait for that one message any more: it need not be chosen.
    WITHDRAW = "withdraw"
    #: Read `lanes.toml` again, and serve the lanes that it has now.
    APPLY_LANES = "apply-lanes"


#: Fields of a command that are text.
_WORDS = ("lane", "actor", "message_id", "permit", "request")


@dataclass(frozen=True, slots=True)
class Control:
    """One command.

    Attributes:
        command: what to do.
        lane: for which lane; `*` for all.
        actor: who asked.
        message_id: the urgent message, for `urgent`.
        permit: names the permission, for `try-one` and `withdraw`; new for each command.
        expires_at: unix seconds after which `try-one` is not obeyed any more; 0 for never.
        generation: which copy of it; known only of messages that ring by themselves, so it does not travel.
        request: names the command, for `force` and `apply-lanes`: each process does it once, however often it comes,
            and the answers to `apply-lanes` name it.
    """

    command: Command
    lane: str
    actor: str = ""
    message_id: str = ""
    permit: str = ""
    expires_at: float = 0.0
    generation: int = 0
    request: str = ""

    def concerns(self, lane: str) -> bool:
        """Whether this lane is meant."""
        return self.lane in {lane, EVERY_LANE}


def encode_control(control: Control) -> tuple[bytes, pika.BasicProperties]:
    """The command as it travels: body and properties."""
    properties = pika.BasicProperties(
        message_id=str(uuid.uuid4()),
        content_type="application/json",
        timestamp=int(time.time()),
        type="control",
    )
    words = {name: getattr(control, name) for name in ("command", *_WORDS, "expires_at")}
    return json.dumps(words).encode(), properties


def decode_control(body: bytes) -> Control | None:
    """The command in a control message, or None where it is none of ours."""
    try:
        values = json.loads(body)
        lane, actor, message_id, permit, request = (str(values.get(name, "")) for name in _WORDS)
        expires_at = float(values.get("expires_at", 0))
        return Control(Command(values["command"]), lane, actor, message_id, permit, expires_at, request=request)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None
