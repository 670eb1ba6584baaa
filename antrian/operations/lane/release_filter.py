"""Which of the messages that are held on the delay ladder are released; pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from antrian.domain.errors import AntrianError
from antrian.domain.headers import held_for
from antrian.domain.hold import LADDER_HOLDS, HoldReason

#: What ends a hold that is no wait on the delay ladder.
_INSTEAD: Mapping[str, str] = {
    HoldReason.PAUSED: "the lane is paused: resume it",
    HoldReason.PROVIDER_AWAY: "the provider is away: force the lane to try it now",
    HoldReason.THROTTLED: "the provider asked for a pause: force the lane to try it now",
    HoldReason.SCHEDULED: "scheduled messages wait for their own time: cancel them, and publish them again",
    HoldReason.RETRY: "messages that failed are tried again by themselves",
    HoldReason.DAILY_CAP: "as many messages as allowed were sent today: raise daily_cap, and apply the lanes",
    HoldReason.HOURLY_CAP: "as many messages as allowed were sent in this hour: raise hourly_cap, and apply the lanes",
    HoldReason.PACE: "these messages wait for their turn: force the lane to end the present pause",
}

#: Ids that are written into the journal.
MOST_LISTED = 100

#: The most that an AMQP short string holds, in bytes; `app_id` is one.
_SHORT_STRING = 255


class NotReleasable(AntrianError):
    """There is nothing to release for this reason; the text says what ends such a wait."""

    def __init__(self, reason: str) -> None:
        releasable = ", ".join(sorted(LADDER_HOLDS))
        super().__init__(_INSTEAD.get(reason) or f"what can be released is held for one of: {releasable}")
        self.reason = reason


def releasable(reason: str) -> HoldReason:
    """The reason of a hold that can be released.

    Raises:
        NotReleasable: there is no such hold, or it is none of single messages.
    """
    if reason not in LADDER_HOLDS:
        raise NotReleasable(reason)
    return HoldReason(reason)


@dataclass(frozen=True, slots=True)
class ReleaseFilter:
    """What must fit; everything that is given.

    Attributes:
        lanes: the lanes that are meant, and for each the reasons; all of them where these are None.
        ids: message ids; None for any.
        source: the publishing service; None for any.
        ends_refusal: whether the senders of these lanes may write to new contacts again, although WhatsApp refused it.
    """

    lanes: Mapping[str, Collection[HoldReason] | None] = field(default_factory=dict)
    ids: frozenset[str] | None = None
    source: str | None = None
    ends_refusal: bool = False

    @classmethod
    def of(
        cls, lane: str, *, reason: str | None = None, ids: Iterable[str] | None = None, source: str | None = None
    ) -> "ReleaseFilter":
        """What an operator asks for, of one lane.

        Raises:
            NotReleasable: no single messages are held for that reason.
        """
        meant = None if reason is None else frozenset({releasable(reason)})
        wanted = None if ids is None else frozenset(ids)
        # Only where it is asked for by its name: whoever releases everything may not know what WhatsApp refuses.
        return cls({lane: meant}, wanted, source, ends_refusal=reason == HoldReason.COLD_HELD)

    def reason_of(self, lane: str, headers: object) -> str | None:
        """Why a copy is held, if that is a reason that is meant; None for what is left alone."""
        reason = held_for(headers)
        if reason is None or lane not in self.lanes:
            return None
        meant = self.lanes[lane]
        return reason if meant is None or reason in meant else None

    def has(self, message_id: str, app_id: str | None) -> bool:
        """Whether the id and the source fit."""
        fits_id = self.ids is None or message_id in self.ids
        return fits_id and (self.source is None or app_id == _short(self.source))

    def as_details(self) -> Mapping[str, object]:
        """For the journal: what was asked for, with at most so many ids as fit an event; else how many they are."""
        lanes = {lane: None if reasons is None else sorted(reasons) for lane, reasons in self.lanes.items()}
        told: dict[str, object] = {"lanes": lanes}
        ids = sorted(self.ids or ())
        told |= {} if self.ids is None else {"ids": ids if len(ids) <= MOST_LISTED else len(ids)}
        return told | ({} if self.source is None else {"source": self.source})

    def in_words(self) -> str:
        """What is meant, for a sentence: `default (cold_cap)`."""
        reasons = sorted({reason for meant in self.lanes.values() for reason in meant or ()})
        return ", ".join(self.lanes) + (f" ({', '.join(reasons)})" if reasons else "")


def _short(text: str) -> str:
    # As the messages themselves name it; see `antrian.domain.message.encode`.
    return text.encode()[:_SHORT_STRING].decode(errors="ignore")
