"""What receipts make of a message that a provider took; no I/O.

A receipt names a send by the provider's name for it or by ours, within its lane, and says how far the message has
come. Only the latest send of a message counts: what was said of an earlier one is in the message's life and no more.
One whose send is not known yet is parked until the send is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from antrian.domain.events import Event
from antrian.domain.headers import LONGEST_DETAIL
from antrian.domain.lifecycle import MessageState
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, correlation_of, read_receipt
from antrian.history.journal.entry import short
from antrian.history.projection.figures import Figures
from antrian.history.projection.message_row import MessageRow
from antrian.history.records import DeliveryState

_IS_SENT = MessageState.SENT
_HANDED_OVER, _DELIVERED, _READ, _FAILED = (one.value for one in DeliveryState)
_ARRIVED = frozenset({_DELIVERED, _READ})
_RANK: Mapping[str, int] = {
    _HANDED_OVER: ReceiptStatus.SENT.rank,
    _FAILED: ReceiptStatus.FAILED.rank,
    _DELIVERED: ReceiptStatus.DELIVERED.rank,
    _READ: ReceiptStatus.READ.rank,
}


#: What the beginning of an attempt tells of our name for it, where the provider was given one.
_ECHOED = "echoed_id"


class ParkedReceipt(NamedTuple):
    """A receipt whose send is not known yet, under one of the names that it gives; see `columns.PARKED`."""

    lane: str
    name: str
    seq: int
    heard_at: float
    status: str
    at: float | None
    failure_class: str | None
    code: str
    detail: str


class Matched(NamedTuple):
    """A parked receipt whose send was told.

    Attributes:
        message: number of the message.
        lane: where the receipt came in.
        name: what it was parked under.
        seq: its place in the journal.
    """

    message: int
    lane: str
    name: str
    seq: int


class DeliveryChange(NamedTuple):
    """More is known of what became of a message.

    Attributes:
        seq: place in the journal of what said so; grows with every change.
        message_id: of which.
        lane: where it was sent from.
        provider: who took it; empty where that is not on record.
        delivery: a `DeliveryState`'s value.
        at: when it was heard of, unix seconds.
        is_news: whether the delivery is another than before.
        has_arrived: whether it is known only now that it arrived.
        seconds: from the provider's acceptance to the arrival, where that is known only now.
    """

    seq: int
    message_id: str
    lane: str
    provider: str
    delivery: str
    at: float
    is_news: bool
    has_arrived: bool
    seconds: float | None


class DeliveryFold:
    """Follows the sends of one batch, and what receipts say of them.

    Args:
        figures: what is counted.
        named: rows of the messages that the batch's receipts name, by each name that is not our message id's.
        parked: receipts that are parked under the names of the batch's sends, by (lane, name).
    """

    def __init__(
        self,
        figures: Figures,
        named: Mapping[str, Sequence[MessageRow]],
        parked: Mapping[tuple[str, str], Sequence[ParkedReceipt]],
    ) -> None:
        self._figures = figures
        self._named = {name: list(rows) for name, rows in named.items()}
        self._parked = {name: list(receipts) for name, receipts in parked.items()}
        self.kept: list[ParkedReceipt] = []
        self.matched: list[Matched] = []
        self.changed: list[DeliveryChange] = []

    def begin(self, row: MessageRow, event: Event) -> None:
        """An attempt begins; generation and attempt of the row are the event's already."""
        told = event.details.get(_ECHOED)
        if told is None:
            row.attempt_id = None
            return
        told = _name(told)
        row.attempt_id = None if told == correlation_of(row.message_id, event.generation, event.attempt) else told
        self._note_name(row, row.attempt_id)

    def sent(self, row: MessageRow, seq: int, event: Event, *, is_its_attempt: bool) -> None:
        """A provider took the message.

        Args:
            row: the message, which has the event's attempt already.
            seq: its place in the journal.
            event: the send.
            is_its_attempt: whether the beginning of this very attempt was the last that was told of the message.
        """
        provider_id = _name(event.details.get("provider_id"))
        if not is_its_attempt:
            row.attempt_id = correlation_of(row.message_id, event.generation, event.attempt)
        row.provider_id, row.sent_at = provider_id, event.at
        row.provider = _name(event.details.get("provider"))
        if row.delivery is not None:
            forget(row)
        row.delivery = _HANDED_OVER
        self._figures.handed_over(row)
        if self._named:
            self._note_name(row, provider_id)
            self._note_name(row, row.attempt_id)
        if self._parked:
            self._unpark(row, seq)

    def undelivered(self, row: MessageRow, seq: int, event: Event) -> None:
        """It did not arrive, and what follows of that is under way; a receipt may have said so already."""
        details = event.details
        receipt = DeliveryReceipt(
            status=ReceiptStatus.FAILED,
            code=short(str(details.get("code") or "")),
            detail=short(str(details.get("detail") or ""), LONGEST_DETAIL),
        )
        # What follows takes the generation on; late receipts still mean this send.
        row.attempt_id = row.attempt_id or correlation_of(row.message_id, event.generation, event.attempt)
        self._apply(row, seq, receipt, _name(details.get("failure_class")), event.at)

    def take(self, row: MessageRow | None, seq: int, event: Event) -> MessageRow | None:
        """A receipt.

        Args:
            row: the message that it names by our id, if that is known.
            seq: its place in the journal.
            event: it.

        Returns:
            The message that it belongs to; None while that is not known.
        """
        receipt = read_receipt(event)
        if receipt is None:
            return row
        if row is not None and row.lane != event.lane:
            row = None
        is_meant = row is not None and row.provider_id == receipt.provider_id != ""
        if row is None and not event.message_id:
            row = self._find(event.lane, receipt)
            # An attempt under way may be named before its send is told; one that was named before is over.
            is_meant = row is not None and (is_handed_over(row) or row.provider_id == short(receipt.provider_id))
        elif row is not None and not is_meant:
            is_meant = is_handed_over(row) and receipt.correlation_id == attempt_name(row)
        if row is None or not is_meant:
            # Another send of the message may still be told, with this name.
            self._park(seq, event, receipt)
        elif is_handed_over(row):
            self._apply(row, seq, receipt, receipt.failure_class, event.at)
            self._rename(row, seq, short(receipt.alias))
        return row

    def _find(self, lane: str, receipt: DeliveryReceipt) -> MessageRow | None:
        """The message with such a send: by the provider's name before ours."""
        given, ours = short(receipt.provider_id), short(receipt.correlation_id)
        # What a provider calls a message later stands in the place of our name, which such a provider gives back never.
        for name, kind in ((given, "provider_id"), (given, "attempt_id"), (ours, "attempt_id")):
            rows = self._named.get(name, ()) if name else ()
            found = [one for one in rows if one.lane == lane and getattr(one, kind) == name]
            if found:
                return max(found, key=_number)
        return None

    def _rename(self, row: MessageRow, seq: int, alias: str) -> None:
        """From now on the provider calls the send by this name; what was told under it already counts."""
        if alias:
            row.attempt_id = alias
            self._note_name(row, alias)
            self._unpark(row, seq)

    def _note_name(self, row: MessageRow, name: str | None) -> None:
        if name is not None and (rows := self._named.get(name)) is not None:
            rows.append(row)

    def _park(self, seq: int, event: Event, receipt: DeliveryReceipt) -> None:
        for name in dict.fromkeys((short(receipt.provider_id), short(receipt.correlation_id))):
            if not name:
                continue
            one = ParkedReceipt(
                lane=event.lane,
                name=name,
                seq=seq,
                heard_at=event.at,
                status=receipt.status.value,
                at=receipt.at,
                failure_class=receipt.failure_class,
                code=short(receipt.code),
                detail=short(receipt.detail, LONGEST_DETAIL),
            )
            self.kept.append(one)
            self._parked.setdefault((one.lane, name), []).append(one)

    def _unpark(self, row: MessageRow, seq: int) -> None:
        names = [name for name in (row.provider_id, attempt_name(row)) if name]
        waiting = [one for name in names for one in self._parked.pop((row.lane, name), ())]
        for one in sorted(waiting, key=_place):
            self.matched.append(Matched(row.id, one.lane, one.name, one.seq))
            receipt = DeliveryReceipt(status=ReceiptStatus(one.status), at=one.at, code=one.code, detail=one.detail)
            self._apply(row, seq, receipt, one.failure_class, one.heard_at)

    def _apply(
        self, row: MessageRow, seq: int, receipt: DeliveryReceipt, failure_class: str | None, heard_at: float
    ) -> None:
        status, before = receipt.status, row.delivery or _HANDED_OVER
        if status.rank <= ReceiptStatus.SENT.rank:
            return
        rises = status.rank > _RANK[before]
        at = moment_of(receipt.at, heard_at, row.sent_at)
        if rises:
            self._figures.delivery(row, before, status.value)
            row.delivery = status.value
        if status is ReceiptStatus.FAILED:
            if rises:
                row.undelivered_at = at
                row.delivery_class = short(failure_class) if failure_class else None
                row.delivery_code, row.delivery_detail = receipt.code, receipt.detail
                self._tell(row, seq, heard_at, before)
            return
        row.undelivered_at = row.delivery_class = row.delivery_code = row.delivery_detail = None
        if status is ReceiptStatus.READ and row.read_at is None:
            row.read_at = at
        if status is ReceiptStatus.DELIVERED and row.delivered_at is None:
            # It may be told after that it was read.
            row.delivered_at = at
            self._figures.time_to_delivery(row, at)
            self._tell(row, seq, heard_at, before, seconds=None if row.sent_at is None else at - row.sent_at)
        elif rises:
            self._tell(row, seq, heard_at, before)

    def _tell(self, row: MessageRow, seq: int, at: float, before: str, *, seconds: float | None = None) -> None:
        after = row.delivery or before
        is_first = after in _ARRIVED and before not in _ARRIVED
        told = (after, at, after != before, is_first, seconds)
        self.changed.append(DeliveryChange(seq, row.message_id, row.lane, row.provider or "", *told))


def is_handed_over(row: MessageRow) -> bool:
    """Whether a provider has the latest copy of the message; an earlier program did not write that down."""
    return row.delivery is not None or row.state is _IS_SENT


def attempt_name(row: MessageRow) -> str:
    """Our name for the latest attempt, as the provider was given it."""
    return row.attempt_id or correlation_of(row.message_id, row.generation, row.attempt)


def forget(row: MessageRow) -> None:
    """Nothing is known yet of what becomes of the message."""
    row.delivery = row.delivered_at = row.read_at = row.undelivered_at = None
    row.delivery_class = row.delivery_code = row.delivery_detail = None


def moment_of(told_at: float | None, heard_at: float, sent_at: float | None) -> float:
    """When it happened: as the provider tells, but not before the send, and not after it was heard of."""
    at = heard_at if told_at is None else min(told_at, heard_at)
    return at if sent_at is None else max(at, sent_at)


def names_of_receipt(event: Event) -> Iterable[str]:
    """The names by which a receipt means a send, beside the message's id."""
    if not event.message_id:
        for key in ("provider_id", "correlation_id"):
            if name := _name(event.details.get(key)):
                yield name


def alias_of_receipt(event: Event) -> Iterable[str]:
    """The name by which the provider will mean the same send from now on, where a receipt tells one."""
    if name := _name(event.details.get("alias")):
        yield name


def names_of_attempt(event: Event) -> Iterable[str]:
    """The names under which receipts of an attempt may be parked that an event tells: its beginning, or its send."""
    if name := _name(event.details.get(_ECHOED)):
        yield name
    yield correlation_of(event.message_id, event.generation, event.attempt)
    if name := _name(event.details.get("provider_id")):
        yield name


def _name(value: object) -> str | None:
    return short(value) or None if isinstance(value, str) else None


def _number(row: MessageRow) -> int:
    return row.id


def _place(parked: ParkedReceipt) -> int:
    return parked.seq
