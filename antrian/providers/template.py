"""What WhatsApp demands of templates and recipients, through whichever official provider a message goes. Pure.

A person who wrote to the sender within 24 hours may be sent any text; everyone else an approved template only. A
message may name its own in its metadata, under `whatsapp_template`. A value there is a text, so it is written as JSON:

    {"name": "otp", "language": "id", "parameters": ["4411"], "buttons": ["4411"]}
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Outgoing
from antrian.providers.outgoing_checks import PHONE, is_unicode, refuse_text

#: The key of a message's metadata that names a template of its own.
TEMPLATE_KEY: Final = "whatsapp_template"

#: Meta's own name for a person whose number a business does not know, such as `ID.13491208655302741918`.
BSUID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")

T = TypeVar("T")

_PARAMETER_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
#: No document states a limit as high; more is a mistake.
_MOST_PARAMETERS: Final = 100


def may_be_answered(outgoing: Outgoing, now: float) -> bool:
    """Whether the recipient may be sent any text at `now`, unix seconds."""
    return outgoing.window_until is not None and outgoing.window_until > now


def person_of(outgoing: Outgoing) -> str:
    """Whom to send to: the phone number, else Meta's own name for the person; empty where it is neither."""
    if PHONE.fullmatch(outgoing.recipient):
        return outgoing.recipient
    return next((name for name in (outgoing.bsuid, outgoing.recipient) if BSUID.fullmatch(name)), "")


def content_of(
    outgoing: Outgoing,
    now: float,
    *,
    as_text: Callable[[str], T | Failed],
    own: Callable[[Mapping[str, Any]], T | Failed],
    otherwise: Callable[[str], T | Failed],
) -> T | Failed:
    """What is sent of a message: its text within the window; outside, its own template, else what the lane has for it.

    Args:
        outgoing: the message.
        now: unix seconds.
        as_text: makes the content of a text.
        own: makes that of the template that the message names.
        otherwise: makes that of a text outside the window.
    """
    if (refusal := refuse_text(outgoing.text)) is not None:
        return refusal
    if may_be_answered(outgoing, now):
        return as_text(outgoing.text)
    wanted = own_template(outgoing)
    if isinstance(wanted, Failed):
        return wanted
    return otherwise(outgoing.text) if wanted is None else own(wanted)


def own_template(outgoing: Outgoing) -> Mapping[str, Any] | Failed | None:
    """The template that a message names; None where it names none, and the failure where it cannot be read."""
    wanted = outgoing.metadata.get(TEMPLATE_KEY)
    if isinstance(wanted, str):
        try:
            wanted = json.loads(wanted)
        except (ValueError, RecursionError):
            return bad_template("is not JSON")
    if wanted is None or isinstance(wanted, Mapping):
        return wanted
    return bad_template("must be an object with a name")


def one_line(text: str) -> str:
    """A text as a template's parameter: without line breaks and tabs, and without many spaces in a row.

    Meta refuses others with 132018, "cannot have new-line/tab characters or more than 4 consecutive spaces".
    """
    return " ".join(text.split())


def parameters(given: object) -> list[tuple[str, str]] | None:
    """A template's parameters by their names: those of an object, or `1`, `2`, … for a list.

    Returns:
        None where they cannot be used: WhatsApp takes no empty ones.
    """
    if given is not None and not isinstance(given, Mapping | list | tuple):
        return None
    found = [(name, value, one_line(str(value))) for name, value in _pairs(given)]
    usable = all(
        isinstance(value, str | int | float) and text and is_unicode(text) and _PARAMETER_NAME.fullmatch(name)
        for name, value, text in found
    )
    return [(name, text) for name, _, text in found] if usable and len(found) <= _MOST_PARAMETERS else None


def private_texts(outgoing: Outgoing) -> Iterator[str]:
    """What must not appear in what is kept of a provider's words: they quote the parameters that they refuse."""
    yield outgoing.text
    yield one_line(outgoing.text)
    yield outgoing.recipient.removeprefix("+")
    yield outgoing.bsuid
    wanted = own_template(outgoing)
    if isinstance(wanted, Mapping):
        for _, value in (*_pairs(wanted.get("parameters")), *_pairs(wanted.get("buttons"))):
            yield one_line(str(value))


def refused(code: str, detail: str) -> Failed:
    """The failure of a message that the provider is not asked about."""
    return Failed(FailureClass.REJECTED, code, detail)


def needs_template() -> Failed:
    """The failure of a text that may not be sent outside the window, where nothing takes its place."""
    return refused(
        "needs-template",
        "the recipient did not write within 24 hours, and neither the message nor the lane names a template",
    )


def bad_template(what: str) -> Failed:
    """The failure of a message whose own template cannot be used."""
    return refused("bad-template", f"{TEMPLATE_KEY} in the message's metadata {what}")


def _pairs(given: object) -> list[tuple[str, object]]:
    if isinstance(given, Mapping):
        return [(str(name), value) for name, value in given.items()]
    if isinstance(given, list | tuple):
        return [(str(number), value) for number, value in enumerate(given, start=1)]
    return []
