"""Errors of the dead-letter operations.

    AntrianError
    ├── NotThere            no such thing is on record (HTTP 404)
    │   ├── UnknownLetter
    │   ├── UnknownRemoval
    │   └── UnknownJob
    ├── TooLate             it was there, and is not any more as it would have to be (HTTP 409)
    │   ├── LetterGone
    │   ├── LaneGone
    │   ├── AlreadyUndone
    │   ├── UndoRunning
    │   ├── UndoIncomplete
    │   └── JobEnded
    └── HistoryBehind       the history does not hold everything yet; try again in a moment (HTTP 503)

A change that breaks the message contract is a `MalformedMessage` with its code; a queue that another
operation is busy with is an `antrian.broker.queue_scan.pipelined_operation.Busy`, one of the broker's errors.
"""

from antrian.domain.errors import AntrianError


class NotThere(AntrianError):
    """No such thing is on record."""


class UnknownLetter(NotThere):
    """No dead letter has this id, and none had."""

    def __init__(self, message_id: str) -> None:
        super().__init__(f"no dead letter has the id {message_id}")


class UnknownRemoval(NotThere):
    """No clearing or purge has this name."""

    def __init__(self, retention_days: float) -> None:
        super().__init__(
            "no clearing or deletion with this id is on record; it can be undone for "
            f"{retention_days:g} days (WHATSAPP_QUEUE_RETENTION_DAYS)"
        )


class UnknownJob(NotThere):
    """No job has this name."""

    def __init__(self) -> None:
        super().__init__("no job with this id is on record")


class TooLate(AntrianError):
    """It was there, and is not any more as it would have to be."""


class LetterGone(TooLate):
    """The message is no dead letter any more."""

    def __init__(self, message_id: str) -> None:
        super().__init__(f"message {message_id} is no longer a dead letter: it was re-driven or deleted")


class LaneGone(TooLate):
    """The broker has no lane for the letter."""

    def __init__(self, lane: str) -> None:
        super().__init__(f"the broker has no lane {lane}: see `antrian topology plan`")


class AlreadyUndone(TooLate):
    """It was undone before; that can be done once."""

    def __init__(self) -> None:
        super().__init__("this clearing or deletion was already undone")


class UndoRunning(TooLate):
    """Another request is undoing it at this moment."""

    def __init__(self) -> None:
        super().__init__("another request is undoing this clearing or deletion right now")


class UndoIncomplete(TooLate):
    """Some messages could not be put back; undoing it again goes on."""

    def __init__(self, restored: int, refused: int) -> None:
        super().__init__(
            f"{restored} messages are back, {refused} are not, because the broker has no lane for them: "
            "create it (see `antrian topology plan`), then undo it again"
        )


class JobEnded(TooLate):
    """The job is over."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the job is over: {state}")


class HistoryBehind(AntrianError):
    """The history does not hold everything yet; trying again in a moment helps."""

    def __init__(self) -> None:
        super().__init__("the history has not read the whole journal yet; try again in a moment")
