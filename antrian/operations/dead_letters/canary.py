"""What became of the first letters of a re-drive, before the others follow them."""

from enum import Enum, auto

from antrian.history.records import FINAL, MessageRecord, MessageState


class Verdict(Enum):
    """About one letter that was put back."""

    #: It waits, or is being sent.
    OPEN = auto()
    #: The provider accepted it.
    GOOD = auto()
    #: It failed again, or ended otherwise without having been sent.
    BAD = auto()


def verdict(record: MessageRecord | None, generation: int) -> Verdict:
    """Whether a re-driven letter was sent.

    Args:
        record: the message as the history has it now.
        generation: of the letter; the copy that was put back is one further.
    """
    if record is None or record.generation <= generation:
        return Verdict.OPEN
    if record.state is MessageState.SENT:
        return Verdict.GOOD
    # One failure is enough: the others should not have to fail three times each before anyone notices.
    return Verdict.BAD if record.state in FINAL or record.state is MessageState.RETRYING else Verdict.OPEN


def reason(record: MessageRecord | None) -> str:
    """What a bad end was, in a few words: never the number or the text."""
    if record is None:
        return "unknown"
    if record.state in {MessageState.DEAD, MessageState.RETRYING}:
        return record.code or record.failure_class or "unknown"
    return record.state.value
