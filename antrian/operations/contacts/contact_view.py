"""Contacts and opt-outs as command line and HTTP show them; numbers masked for those who may not see them."""

from collections.abc import Iterable
from typing import Any

from antrian.contacts.views import ContactView, OptOut, SenderView
from antrian.domain.contact import Standing
from antrian.domain.lane import Lane, Lanes
from antrian.domain.phone_number import mask, shown_sender
from antrian.domain.private_text import DOTS, hide_numbers

#: Lanes of which all are listed, where none is named: those that know nothing of the person, too.
_FEW_LANES = 20


def contact_details(
    view: ContactView, lanes: Lanes, lane: str | None = None, *, masked: bool = False
) -> dict[str, Any]:
    """All that is known of a person.

    Args:
        view: what the book says.
        lanes: that there are.
        lane: whose sender alone is meant; None for every one.
        masked: whether numbers, and what may name the person, are hidden.
    """
    return {
        "phone_number": _shown(view.recipient, masked=masked),
        "timezone": view.timezone,
        "senders": [_sender(one, name, masked=masked) for one, name in _senders(view, lanes, lane)],
        "opt_outs": [opt_out_details(one, masked=masked, named=False) for one in view.opt_outs],
        "identities": {
            kind: DOTS if masked and kind in view.identities else view.identities.get(kind) for kind in ("bsuid", "lid")
        },
    }


def opt_out_details(one: OptOut, *, masked: bool = False, named: bool = True) -> dict[str, Any]:
    """An opt-out and its proof.

    Args:
        one: it.
        masked: whether numbers are hidden.
        named: whether it says whose it is.
    """
    proof = {"by": one.by, "words": one.words}
    if masked:
        proof = {name: hide_numbers(text) for name, text in proof.items()}
    whose = {"phone_number": _shown(one.recipient, masked=masked)} if named else {}
    return whose | {"purpose": one.purpose, "at": one.at} | proof | {"channel": one.channel}


def _senders(view: ContactView, lanes: Lanes, lane: str | None) -> Iterable[tuple[SenderView, str | None]]:
    known = {one.sender: one for one in view.senders}
    meant: Iterable[Lane] = lanes.values() if lane is None else (lanes[lane],)
    names = {one.sender_key: one.name for one in meant}
    for sender, name in names.items():
        if sender in known or lane is not None or len(lanes) <= _FEW_LANES:
            yield known.get(sender, SenderView(sender, Standing.COLD, None, None, None, None)), name
    if lane is None:
        yield from ((one, None) for sender, one in known.items() if sender not in names)


def _sender(one: SenderView, lane: str | None, *, masked: bool) -> dict[str, Any]:
    return {
        "sender": shown_sender(one.sender, masked=True) if masked else one.sender,
        "lane": lane,
        "standing": one.standing.value,
        "since": one.since,
        "first_sent_at": one.first_sent_at,
        "last_sent_at": one.last_sent_at,
        "refused_at": one.refused_at,
    }


def _shown(recipient: str, *, masked: bool) -> str:
    if not masked:
        return recipient
    return mask(recipient) if recipient.startswith("+") else DOTS
