"""The permission to send exactly one message of a paused lane: asked for by an admin, spent in the outcomes stream.

    asked (control exchange) → a message is chosen (`outcome.chosen`) → its attempt begins (`outcome.sending`): spent

Every consumer of the lane hears it, and the stream tells each of them how far the others have come with it. So one
permission leads to one call to the provider at most, whatever is killed. What dies with the consumer that chose is the
rest of the way: unless another consumer heard the same permission and gets the same message, nothing is sent.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto

from antrian.domain.control import CHOICE_SECONDS
from antrian.domain.event_name import EventName
from antrian.domain.events import Event

#: Seconds that the attempt may begin late, after the pause is over: a new connection takes its time.
GRACE_SECONDS = 60.0

#: Permissions that are remembered; each of them is valid for seconds.
_REMEMBERED = 200


@dataclass(slots=True)
class Permit:
    """One permission that this consumer holds; several commands that come together are one.

    Attributes:
        ids: of the commands.
        valid_until: monotonic seconds; a message must be chosen, and that told, until then, and once it is, sent until
            then. Whoever asked hears later that nothing is sent, and that must be true.
        asked_by: who asked last.
        message_id: the message that was chosen; empty until then.
        begins_at: when its attempt can begin, monotonic seconds.
        unanswered: commands that have not been told which message was chosen.
    """

    ids: list[str]
    valid_until: float
    asked_by: str = ""
    message_id: str = ""
    begins_at: float = 0.0
    unanswered: list[str] = field(default_factory=list)

    @classmethod
    def asked(cls, permit_id: str, asked_by: str, now: float) -> "Permit":
        """A permission that was just heard of; `now` is monotonic seconds."""
        return cls([permit_id], now + CHOICE_SECONDS, asked_by, unanswered=[permit_id])

    def ask_again(self, permit_id: str, asked_by: str, now: float) -> None:
        """A second command while the first is not carried out: both get the same message."""
        self.ids.append(permit_id)
        self.unanswered.append(permit_id)
        self.asked_by = asked_by
        if self.unanswered == self.ids:
            self.valid_until = now + CHOICE_SECONDS

    def without(self, permit_id: str) -> "Permit | None":
        """The permission of the other commands, if there are any; for one whose message is not chosen yet."""
        if permit_id not in self.ids:
            return self
        others = [one for one in self.ids if one != permit_id]
        return Permit(others, self.valid_until, self.asked_by, unanswered=list(others)) if others else None

    def choose(self, message_id: str, begins_at: float) -> None:
        """The message that it is for; its attempt can begin at `begins_at`, monotonic seconds."""
        self.message_id = message_id
        self.begins_at = begins_at

    def answered(self, permit_ids: list[str]) -> None:
        """These commands have been told in time which message was chosen."""
        self.valid_until = self.begins_at + GRACE_SECONDS
        self.unanswered = [one for one in self.unanswered if one not in permit_ids]

    def rest(self, now: float) -> "Permit | None":
        """The permission for another message: of commands that came while the attempt's beginning was recorded."""
        if not self.unanswered:
            return None
        return Permit(list(self.unanswered), now + CHOICE_SECONDS, self.asked_by, unanswered=list(self.unanswered))

    def has_expired(self, now: float) -> bool:
        """Whether it is too late; `now` is monotonic seconds."""
        return now > self.valid_until


@dataclass(slots=True)
class Use:
    """What the stream tells of a permission.

    Attributes:
        message_id: the message that was chosen.
        begun: whether its attempt began, which spends the permission.
    """

    message_id: str
    begun: bool = False


@dataclass(slots=True)
class Uses:
    """All that the stream tells of permissions."""

    _uses: OrderedDict[str, Use] = field(default_factory=OrderedDict)

    def of(self, permit_id: str) -> Use | None:
        """How far a permission was used; None for one that no consumer has used."""
        return self._uses.get(permit_id)

    def apply(self, event: Event) -> None:
        """Take an event of the lane into account."""
        if event.name not in {EventName.CHOSEN, EventName.SENDING}:
            return
        told = event.details.get("permits")
        for permit_id in told if isinstance(told, list) else []:
            if isinstance(permit_id, str):
                self._remember(permit_id, event)

    def _remember(self, permit_id: str, event: Event) -> None:
        use = self._uses.setdefault(permit_id, Use(event.message_id))
        use.begun = use.begun or event.name == EventName.SENDING
        while len(self._uses) > _REMEMBERED:
            self._uses.popitem(last=False)


class Step(Enum):
    """What a permission allows to do with a message."""

    #: Tell that this is the one.
    CHOOSE = auto()
    #: It was chosen already, and may be sent when the pause is over.
    SEND = auto()
    #: Nothing: the permission is spent, or for another message, or it is too late.
    NOTHING = auto()


def step(permit: Permit, message_id: str, uses: Uses, now: float) -> Step:
    """What a permission allows to do with a message that was delivered.

    Args:
        permit: held by this consumer.
        message_id: of the delivery.
        uses: complete up to now.
        now: monotonic seconds.
    """
    known = [use for one in permit.ids if (use := uses.of(one)) is not None]
    if permit.has_expired(now) or any(use.begun for use in known):
        return Step.NOTHING
    chosen = {use.message_id for use in known} | ({permit.message_id} if permit.message_id else set())
    if not chosen:
        return Step.CHOOSE
    if chosen != {message_id}:
        return Step.NOTHING
    # Chosen by another consumer: it is told again with the time at which it can begin here.
    return Step.SEND if permit.message_id and not permit.unanswered else Step.CHOOSE
