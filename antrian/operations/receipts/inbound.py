"""Messages that people write: a word such as STOP is answered once, and everything else is passed on."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.receipt import InboundMessage
from antrian.operations.contacts.opt_outs import OptOuts
from publisher import InvalidMessage, Publisher, Unroutable

if TYPE_CHECKING:
    from antrian.domain.settings import Settings

_LATEST = 253_402_300_799

_log = structlog.get_logger("antrian.receipts")


def read_inbound(event: Event) -> InboundMessage | None:
    """The message in an event; None where it is none, or does not say who wrote it."""
    details = event.details
    recipient = _text(details.get("recipient"))
    if event.name != EventName.RECEIPT_INBOUND or not recipient:
        return None
    at, identities = details.get("at"), details.get("identities")
    is_moment = isinstance(at, int | float) and not isinstance(at, bool) and 0 <= at <= _LATEST
    return InboundMessage(
        recipient=recipient,
        provider_id=_text(details.get("provider_id")),
        at=float(at) if is_moment else None,  # type: ignore[arg-type]
        text=_text(details.get("text")),
        kind=_text(details.get("kind")) or "text",
        identities={str(key): str(value) for key, value in identities.items()} if isinstance(identities, dict) else {},
        preference=_text(details.get("preference")),
    )


class Answers:
    """Answers to the words by which people opt out or in.

    Args:
        settings: the lanes' languages, as they are now.
        opt_outs: knows the words.
        publisher: queues the answers.
    """

    def __init__(self, settings: "Callable[[], Settings]", opt_outs: OptOuts, publisher: Publisher) -> None:
        self._settings = settings
        self._opt_outs = opt_outs
        self._publisher = publisher

    def is_wish(self, event: Event, message: InboundMessage) -> bool:
        """Whether a person opted out or in; then the answer is queued, once a day.

        Raises:
            PublisherError: the answer is not queued, or it is not known.
        """
        if message.preference:
            # The provider took the wish, and has its own way of saying so.
            return True
        settings = self._settings()
        language = settings.lanes.known(event.lane).option("language", settings.opt_out_language)
        try:
            wish = self._opt_outs.answer_inbound(
                message.recipient,
                message.text,
                publisher=self._publisher,
                lane=event.lane,
                at=event.at,
                language=language,
            )
        except (InvalidMessage, Unroutable) as error:
            # A lane that is no more, or a number that cannot be written to: the wish counts all the same.
            _log.warning("inbound.not_answered", lane=event.lane, reason=type(error).__name__)
            return True
        return wish is not None


def payload_of(event: Event, message: InboundMessage) -> Mapping[str, object]:
    """What the owner's service is told of a message."""
    return {
        "lane": event.lane,
        "provider_id": message.provider_id,
        "from": message.recipient,
        "identities": dict(message.identities),
        "kind": message.kind,
        "text": message.text,
        "sent_at": message.at,
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
