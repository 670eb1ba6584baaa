"""A dead letter with another number, text or priority: a new message, linked to the letter by its id."""

import uuid
from dataclasses import dataclass

from antrian.domain.body import build, fields_of
from antrian.domain.errors import MalformedMessage
from antrian.domain.message import Message, MessageBody, Priority
from antrian.history.dead_letter import DeadLetter

#: Marks the ids that are made here.
_ID_NAMESPACE = uuid.UUID("5f0f6a57-8f3e-5c0b-8a27-6c1d6f0f7b39")

#: On whose behalf a letter is sent that does not say so itself.
_OURSELVES = "antrian-desk"
_LONGEST_SOURCE = 100


@dataclass(frozen=True, slots=True)
class Edits:
    """What is to be different; None for what stays.

    Attributes:
        phone_number: in any usual spelling.
        message: the text.
        priority: its name or number.
    """

    phone_number: str | None = None
    message: str | None = None
    priority: str | int | None = None


NO_EDITS = Edits()


def copy_id(letter: DeadLetter) -> str:
    """The edited copy's id: always the same for one letter.

    So however often an interrupted edit is done again, the consumer sends one message of that id.
    """
    return str(uuid.uuid5(_ID_NAMESPACE, f"{letter.message_id} {letter.generation}"))


def edited_copy(letter: DeadLetter, changes: Edits, *, now: float) -> Message | None:
    """The message to send instead of the letter; None when the changes change nothing.

    All else that the letter says stays, its idempotency key too. The key does not stand in the copy's own way: a key
    belongs to a message that was sent or is being sent, and the letter was neither when its `outcome.redriven`, which
    is published first, reaches the consumer's ledger (`Ledger.owner`). It stays because it must go on doing its work:
    when the publishing service repeats its request, the recipient must not get the text twice. For the same reason
    the copy is not sent if such a repetition was sent already; the history then says `duplicate`.

    Args:
        letter: which letter.
        changes: what to change.
        now: unix seconds.

    Raises:
        MalformedMessage: the copy could not be sent; `InvalidPhoneNumber` if only the number is wrong;
            `unreadable` when the letter cannot be read and not both number and text are given.
    """
    body = _body(letter, changes)
    priority = letter.priority if changes.priority is None else int(Priority.parse(changes.priority))
    is_same = letter.message is not None and fields_of(body) == fields_of(letter.message.body)
    if is_same and priority == letter.priority:
        return None
    trace = letter.message.trace if letter.message else None
    return Message(copy_id(letter), letter.lane, priority, body, round(now, 3), trace=trace)


def _body(letter: DeadLetter, changes: Edits) -> MessageBody:
    if letter.message is not None:
        changed = {"phone_number": changes.phone_number, "message": changes.message}
        said = {name: value for name, value in changed.items() if value is not None}
        return build(**fields_of(letter.message.body) | said)
    if changes.phone_number is None or changes.message is None:
        raise MalformedMessage("unreadable", "this letter cannot be read, so it needs both a number and a text")
    return build(phone_number=changes.phone_number, message=changes.message, source=_source(letter))


def _source(letter: DeadLetter) -> str:
    legible = "".join(character for character in letter.source if character.isprintable())
    return legible.strip()[:_LONGEST_SOURCE].strip() or _OURSELVES
