"""Attempts that a receipt may still prove: a part of the ledger, for lanes whose provider gives our name for one back.

What is known of an attempt goes with the message's end, so that only open messages take room. A receipt proves its
attempt whatever the provider said of that before: who is told that it was not sent, and then that it was, was sent it.
"""

from dataclasses import dataclass, field

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.receipt import PROVES_A_SEND, read_receipt

_SENDING, _FAILED, _UNCERTAIN = EventName.SENDING, EventName.FAILED, EventName.UNCERTAIN


@dataclass(frozen=True, slots=True)
class NamedAttempt:
    """One attempt whose receipt can be told from others.

    Attributes:
        generation: of the copy.
        attempt: its number.
        began_at: unix seconds.
        is_cold: whether its recipient was cold when it began.
    """

    generation: int
    attempt: int
    began_at: float
    is_cold: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """A receipt that proves a send.

    Attributes:
        attempt: which one.
        provider_id: the provider's name for the message; None where only ours came back.
        at: when we heard of it, unix seconds.
    """

    attempt: NamedAttempt
    provider_id: str | None
    at: float


@dataclass(slots=True)
class OpenMessage:
    """What is known of the named attempts of one message that has not come to an end.

    Attributes:
        names: of its attempts, as the provider gives them back.
        began_at: when the latest of them began, unix seconds.
        is_doubtful: whether any of them ended without an answer.
        proof: the first receipt that proves one of them.
    """

    names: list[str]
    began_at: float
    is_doubtful: bool = False
    proof: Proof | None = None


@dataclass(slots=True)
class AttemptReceipts:
    """A fold of the events of one lane; the ledger says when a message has come to an end."""

    _attempts: dict[str, tuple[str, NamedAttempt]] = field(default_factory=dict)
    _messages: dict[str, OpenMessage] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._attempts)

    def of(self, message_id: str) -> OpenMessage | None:
        """What is known of a message; None where no receipt can tell anything of it."""
        return self._messages.get(message_id)

    def proof(self, message_id: str) -> Proof | None:
        """What proves that a message was sent; None where nothing does."""
        message = self._messages.get(message_id)
        return message.proof if message else None

    def apply(self, event: Event) -> None:
        """Take an event into account that says something new about its message."""
        if event.name == _SENDING:
            self._begin(event)
        elif message := self._messages.get(event.message_id):
            is_uncertain = event.name == _FAILED and (
                FailureClass.read(event.details.get("failure_class")) is FailureClass.UNCERTAIN
            )
            message.is_doubtful = message.is_doubtful or is_uncertain or event.name == _UNCERTAIN

    def _begin(self, event: Event) -> None:
        name = event.details.get("echoed_id")
        if not isinstance(name, str) or not name:
            return
        details = event.details
        attempt = NamedAttempt(
            event.generation,
            event.attempt,
            event.at,
            is_cold=details.get("cold") is True,
        )
        message = self._messages.setdefault(event.message_id, OpenMessage([], event.at))
        message.began_at = event.at
        if name not in self._attempts:
            message.names.append(name)
        # One that was never made, and is made again, has the name that it had.
        self._attempts[name] = (event.message_id, attempt)

    def hear(self, event: Event) -> None:
        """A receipt has come, of whichever message."""
        receipt = read_receipt(event)
        if receipt is None or receipt.status not in PROVES_A_SEND:
            return
        found = self._attempts.get(receipt.correlation_id)
        if found is None:
            return
        message_id, attempt = found
        message = self._messages.get(message_id)
        # The first that names the message by the provider's own name: people look for it by that.
        if message is not None and (message.proof is None or message.proof.provider_id is None):
            message.proof = Proof(attempt, receipt.provider_id or None, event.at)

    def forget(self, message_id: str) -> None:
        """The message has come to an end, or is not remembered any more."""
        message = self._messages.pop(message_id, None)
        for name in message.names if message else ():
            self._attempts.pop(name, None)
