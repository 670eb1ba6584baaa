"""What Twilio is asked to send: pure; whether a text or a template may go is decided here, before anything is sent."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from antrian.domain.lane import Lane
from antrian.providers.contract import Failed, Outgoing
from antrian.providers.template import (
    bad_template,
    content_of,
    needs_template,
    one_line,
    parameters,
    person_of,
    refused,
)

CHANNEL: Final = "whatsapp:"

#: Characters of a `Body` (Twilio, "Messages resource").
LONGEST_TEXT: Final = 1600

_CONTENT_SID: Final = re.compile(r"HX[0-9A-Za-z]{1,40}")


@dataclass(frozen=True, slots=True)
class TwilioOptions:
    """A lane's settings of what is sent.

    Attributes:
        sender: the WhatsApp sender, as `From` names it.
        messaging_service_sid: the service whose settings hold as well; empty for none.
        status_callback: the address that receipts come to; empty for what the sender or the service has set.
        content_sid: the template that carries a text outside the window; empty for none.
        content_variable: its variable that the text goes into.
    """

    sender: str
    messaging_service_sid: str = ""
    status_callback: str = ""
    content_sid: str = ""
    content_variable: str = ""

    @classmethod
    def of(cls, lane: Lane) -> "TwilioOptions":
        """Those of a lane; see its row in `antrian.domain.provider_catalog`."""
        return cls(
            sender_of(lane.sender or ""),
            messaging_service_sid=lane.option("messaging_service_sid"),
            status_callback=lane.option("status_callback"),
            content_sid=lane.option("content_sid"),
            content_variable=lane.option("content_variable"),
        )


def sender_of(written: str) -> str:
    """A sender's number, however it is written, as Twilio names it: `whatsapp:+62…`."""
    name = written.removeprefix(CHANNEL)
    digits = re.sub(r"[-+. ()]", "", name)
    return f"{CHANNEL}+{digits}" if digits.isdecimal() else f"{CHANNEL}{name}"


def form_of(outgoing: Outgoing, options: TwilioOptions, now: float) -> dict[str, str] | Failed:
    """The form of `POST …/Messages.json`, or why Twilio must not be asked.

    Args:
        outgoing: the message.
        options: the lane's.
        now: unix seconds.
    """
    person = person_of(outgoing)
    if not person:
        return refused("bad-recipient", "the recipient is neither one number in E.164 nor a business-scoped user id")
    content = content_of(
        outgoing, now, as_text=_text, own=_own_template, otherwise=lambda text: _lanes_template(text, options)
    )
    if isinstance(content, Failed):
        return content
    # With a service and a sender, Twilio takes that sender of the service: the pace is the sender's.
    form = {"To": f"{CHANNEL}{person}", "From": options.sender, **content}
    if options.messaging_service_sid:
        form["MessagingServiceSid"] = options.messaging_service_sid
    if options.status_callback:
        form["StatusCallback"] = options.status_callback
    return form


def _text(text: str) -> dict[str, str] | Failed:
    if len(text) > LONGEST_TEXT:
        return refused("too-long", f"the text has more than {LONGEST_TEXT} characters")
    return {"Body": text}


def _lanes_template(text: str, options: TwilioOptions) -> dict[str, str] | Failed:
    if not options.content_sid:
        return needs_template()
    if not options.content_variable:
        # The template would go out without the text.
        return refused("needs-template", "the lane names a content_sid, but no content_variable for the text")
    value = one_line(text)
    if not value:
        return refused("bad-template", "the text is empty, and a template's parameter must not be")
    return _template(options.content_sid, {options.content_variable: value})


def _own_template(wanted: Mapping[str, Any]) -> dict[str, str] | Failed:
    """The template that a message names: `{"content_sid" or "name": "HX…", "parameters"?: …}`."""
    sid = wanted.get("content_sid") or wanted.get("name")
    if not isinstance(sid, str) or not _CONTENT_SID.fullmatch(sid):
        return bad_template("has no usable content_sid, HX…")
    variables = parameters(wanted.get("parameters"))
    if variables is None:
        return bad_template("has parameters that are not texts or numbers, or that are empty")
    return _template(sid, dict(variables))


def _template(sid: str, variables: Mapping[str, str]) -> dict[str, str]:
    content = {"ContentSid": sid}
    if variables:
        content["ContentVariables"] = json.dumps(variables)
    return content
