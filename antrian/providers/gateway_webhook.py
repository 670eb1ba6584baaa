"""What the webhooks of WhatsApp gateways have in common: whom they name, and what is kept of what nobody can read."""

import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from antrian.domain.receipt import LONGEST_RAW, UnreadableReport
from antrian.providers.json_fields import json_object
from antrian.providers.webhook import WebhookRequest

#: Characters of a message of a person that are kept: WhatsApp takes no longer one.
LONGEST_TEXT = 65_536

_NUMBER = re.compile(r"\+?([1-9][0-9]{5,14})(?:[:.][0-9]+)?(?:@c\.us|@s\.whatsapp\.net)?", re.ASCII)
_LID = re.compile(r"([0-9]{1,32})(?:[:.][0-9]+)?@lid", re.ASCII)
_MOST_FIELDS = 100
_SPELLED = re.compile(r"[\s()+.-]")


class Person(NamedTuple):
    """Who one message is from, or for.

    Attributes:
        recipient: E.164 with +; another identity where the number is not known.
        identities: others, by kind.
    """

    recipient: str
    identities: dict[str, str]


def fields_of(request: WebhookRequest) -> dict[str, Any]:
    """The fields of a body that is a JSON object or a form: gateways that sign nothing have sent both."""
    if fields := json_object(request.body):
        return fields
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    try:
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


def person_of(*addresses: object) -> Person | None:
    """The person at WhatsApp's addresses (`62…@c.us`, `62…@s.whatsapp.net`, `…@lid`) or number.

    Args:
        addresses: all that is known of the same person; anything that is none of these is passed over.

    Returns:
        None where there is none: a group, a channel, a status, nothing.
    """
    written = [address for address in addresses if isinstance(address, str)]
    numbers = [found[1] for address in written if (found := _NUMBER.fullmatch(address))]
    lids = [f"{found[1]}@lid" for address in written if (found := _LID.fullmatch(address))]
    if numbers:
        return Person(f"+{numbers[0]}", {"lid": lids[0]} if lids else {})
    return Person(lids[0], {"lid": lids[0]}) if lids else None


def is_group(address: object) -> bool:
    """Whether an address is of no single person: a group, a channel, a status."""
    return isinstance(address, str) and address.endswith(("@g.us", "@newsletter", "@broadcast"))


def is_device(named: object, sender: str | None) -> bool:
    """Whether a webhook names the lane's own sender; compared in constant time, and never equal to an empty one.

    Args:
        named: the number as the gateway writes it: with or without +, or 0 for 62, or an address of WhatsApp.
        sender: of the lane.
    """
    ours = _digits(sender or "")
    found = isinstance(named, str | int) and not isinstance(named, bool)
    theirs = _digits(str(named)[:64].partition("@")[0].partition(":")[0]) if found else b""
    return hmac.compare_digest(ours, theirs) and bool(ours)


def unreadable(reason: str, fields: Mapping[str, Any] | bytes) -> UnreadableReport:
    """A report that cannot be read, with its beginning.

    Args:
        reason: one phrase.
        fields: what of it may be kept: without secrets.
    """
    raw = fields.decode("utf-8", "replace") if isinstance(fields, bytes) else json.dumps(fields)
    return UnreadableReport(reason=reason, raw=raw[:LONGEST_RAW])


def _digits(number: str) -> bytes:
    bare = _SPELLED.sub("", number)
    # As people of Indonesia write it, and some gateways name the device as it was written.
    return (f"62{bare[1:]}" if bare.startswith("0") else bare).encode("utf-8", "replace")
