"""One thing to tell one service, as it lies in its queue; no I/O.

The body that will be sent is kept as text, so that every try sends the same bytes under the same id.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Final, Self

import pika

from antrian.broker.queue_scan.publication import Publication
from antrian.broker.topology import DEAD_CALLBACKS, DELAYED_CALLBACKS, Names
from antrian.domain.delay_ladder import ladder_key

#: Seconds until the next try, after each that failed; then it is given up.
PAUSES: Final = (5.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0)

_PERSISTENT = 2
_LONGEST_PROBLEM = 200


@dataclass(frozen=True, slots=True)
class CallbackTask:
    """What is to be told.

    Attributes:
        webhook_id: the same however often it is told.
        target: a publishing service, or `callback_target.OWNER`.
        kind: such as `message.delivered`.
        payload: the body, JSON.
        tries: how many failed.
        problem: of the last try; empty before it.
    """

    webhook_id: str
    target: str
    kind: str
    payload: str
    tries: int = 0
    problem: str = ""

    @classmethod
    def of(cls, kind: str, target: str, data: Mapping[str, object], *, at: float, names: str) -> Self:
        """A new task.

        Args:
            kind: such as `message.delivered`.
            target: whom it is for.
            data: what is told.
            at: when it happened, unix seconds.
            names: tells this thing from all others; the same when it is heard of again.
        """
        digest = hashlib.blake2b(f"{kind}\n{target}\n{names}".encode(errors="replace"), digest_size=16).hexdigest()
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        payload = {"type": kind, "timestamp": moment, "data": dict(data)}
        return cls(f"msg_{digest}", target, kind, json.dumps(payload, separators=(",", ":")))

    def encode(self) -> bytes:
        """The task as JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def decode(cls, body: bytes) -> Self | None:
        """The task in a delivery; None for what is none."""
        try:
            values = json.loads(body)
            task = cls(**{name: values[name] for name in cls.__slots__ if name in values})
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        texts = (task.webhook_id, task.target, task.kind, task.payload, task.problem)
        is_sound = all(type(text) is str for text in texts) and type(task.tries) is int and task.tries >= 0
        return task if is_sound else None

    def failed(self, problem: str) -> Self:
        """The task after a try that failed."""
        return replace(self, tries=self.tries + 1, problem=problem[:_LONGEST_PROBLEM])

    @property
    def pause(self) -> float | None:
        """Seconds until the next try; None where it is given up."""
        return PAUSES[self.tries - 1] if 0 < self.tries <= len(PAUSES) else None

    # How it is published.

    def at_once(self, names: Names) -> Publication:
        """Into the queue."""
        return self._published(names.due, f"released.{DELAYED_CALLBACKS}")

    def later(self, names: Names, seconds: float) -> Publication:
        """Onto the delay ladder, and from there into the queue."""
        return self._published(names.ladder_entrance(seconds), ladder_key(seconds, DELAYED_CALLBACKS))

    def given_up(self, names: Names) -> Publication:
        """Into the queue of those that are given up."""
        return self._published(names.due, f"released.{DEAD_CALLBACKS}")

    def _published(self, exchange: str, key: str) -> Publication:
        properties = pika.BasicProperties(
            content_type="application/json", delivery_mode=_PERSISTENT, type="callback", message_id=self.webhook_id
        )
        return Publication(exchange, key, self.encode(), properties, mandatory=True)
