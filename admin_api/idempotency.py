"""One key, one message: the same key with the same body gets the same answer, with another body it is refused.

The message id is made from the service's name and its key. So whatever is published twice has one id, and the consumer
sends an id once: that holds across processes and crashes, without a store of our own. What an earlier request with the
key asked for is known from this process's own memory and from the history. Only two *different* bodies that reach two
processes within the same moment are both accepted; even then only one of them is sent.
"""

import hashlib
import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass

from antrian.domain.message import Message
from antrian.history.projection.columns import contents_of, recorded
from antrian.history.queries.history import History
from antrian.history.records import MessageRecord

#: Marks the ids that are made here.
_ID_NAMESPACE = uuid.UUID("6f2b1f5e-51d4-5a0b-9f0e-0c6e9a7d3b11")

#: Keys of this process that are remembered; older ones are in the history.
_MOST_REMEMBERED = 50_000


class KeyReused(Exception):
    """The key came before, with another body."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is known about a request with a key.

    Attributes:
        message_id: the id that its message has.
        known: whether the message is in the queue, or was, already.
        is_first: whether this request brought the key; one that comes at the same time does not.
    """

    message_id: str
    known: bool
    is_first: bool


class IdempotencyKeys:
    """The keys that were seen.

    Args:
        history: knows the messages of other processes, and of this one's earlier life.
        window: seconds for which a key is remembered.
    """

    def __init__(self, history: History, window: float) -> None:
        self._history = history
        self._window = window
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, str] = OrderedDict()

    def claim(self, source: str, key: str, fingerprint: str, composed: Message) -> Claim:
        """Find out whether the key is new, for a message that is made but has no id yet.

        Raises:
            KeyReused: it came before, with another body.
        """
        message_id, record = self._id_of(source, key, composed.queued_at)
        with self._lock:
            seen = self._seen.get(message_id)
            if seen is None and record is None:
                self._remember(message_id, fingerprint)
                return Claim(message_id, known=False, is_first=True)
        if (seen is not None and seen != fingerprint) or (seen is None and record and not _is_same(record, composed)):
            raise KeyReused
        return Claim(message_id, known=record is not None, is_first=False)

    def release(self, claim: Claim) -> None:
        """Forget the key of a message that was certainly not accepted, unless another request brought it."""
        with self._lock:
            if claim.is_first:
                self._seen.pop(claim.message_id, None)

    def _id_of(self, source: str, key: str, now: float) -> tuple[str, MessageRecord | None]:
        """The id for the key now: a key whose time is over makes a new one, told from the old message's time."""
        name = f"{source}\n{key}"
        while True:
            message_id = str(uuid.uuid5(_ID_NAMESPACE, name))
            record = self._history.message(message_id)
            if record is None or record.queued_at is None or now - record.queued_at < self._window:
                return message_id, record
            name = f"{name}\n{record.queued_at}"

    def _remember(self, message_id: str, fingerprint: str) -> None:
        self._seen[message_id] = fingerprint
        while len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)


def fingerprint_of(body: str) -> str:
    """What tells two bodies apart, without keeping them."""
    return hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest()


def _is_same(record: MessageRecord, composed: Message) -> bool:
    said = recorded(contents_of(composed.body))
    is_said = all((getattr(record, name) or None) == (value or None) for name, value in said.items())
    return is_said and (record.priority, record.lane) == (composed.priority, composed.lane)
