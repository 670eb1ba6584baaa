"""Whether a message can be cancelled, or its cancellation taken back: decided from what the history knows of it."""

from antrian.domain.errors import AntrianError
from antrian.history.records import FINAL, MessageRecord, MessageState


class NotCancelled(AntrianError):
    """It cannot be done.

    Args:
        code: `unknown-message`, `final`, `not-cancelled` or `cancelled`.
        sentence: for people.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


_IT_IS = {
    MessageState.SENT: "it was already sent",
    MessageState.FAILED: "it was already sent, and did not arrive",
    MessageState.DEAD: "it was already given up; it is among the dead letters",
    MessageState.PURGED: "it was given up, and its dead letter was deleted",
    MessageState.EXPIRED: "it expired before it could be sent",
    MessageState.CANCELLED: "it was already cancelled",
    MessageState.CLEARED: "it was already cleared from its queue",
    MessageState.OPTED_OUT: "it was not sent, because its recipient opted out",
    MessageState.DUPLICATE: "it was already dropped as a duplicate",
}


def check_cancel(record: MessageRecord | None, message_id: str) -> MessageRecord:
    """The message, if it can still be cancelled.

    Raises:
        NotCancelled: nobody knows it, or it has come to its end.
    """
    known = _known(record, message_id)
    if known.state in FINAL:
        raise NotCancelled("final", f"message {message_id} cannot be cancelled: {_IT_IS[known.state]}")
    return known


def check_uncancel(record: MessageRecord | None, message_id: str) -> MessageRecord:
    """The message, if its cancellation can still be taken back.

    Raises:
        NotCancelled: nobody knows it, nobody cancelled it, or it has come to its end.
    """
    known = _known(record, message_id)
    if known.state in FINAL:
        why = "it was already dropped" if known.state is MessageState.CANCELLED else _IT_IS[known.state]
        code = "cancelled" if known.state is MessageState.CANCELLED else "final"
        raise NotCancelled(code, f"the cancellation of message {message_id} cannot be taken back: {why}")
    if not known.cancelling:
        raise NotCancelled("not-cancelled", f"message {message_id} is not being cancelled")
    return known


def _known(record: MessageRecord | None, message_id: str) -> MessageRecord:
    if record is None:
        raise NotCancelled("unknown-message", f"no message has the id {message_id}")
    return record
