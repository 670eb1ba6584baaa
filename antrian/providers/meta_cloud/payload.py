"""What Meta is asked to send: pure; whether a text or a template may go is decided here, before anything is sent.

Whoever wrote to the sender within 24 hours may be sent any text. Everyone else may be sent an approved template only,
or, where Meta has enabled Direct Send for the account, a text with a category.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from antrian.domain.lane import Lane
from antrian.providers.contract import Failed, Outgoing
from antrian.providers.outgoing_checks import PHONE
from antrian.providers.template import (
    bad_template,
    content_of,
    needs_template,
    one_line,
    parameters,
    person_of,
    refused,
)

#: Characters of a text (Meta, "Text messages") and of `biz_opaque_callback_data` ("Messages", same manual).
LONGEST_TEXT: Final = 4096
LONGEST_CORRELATION: Final = 512
#: Seconds that Direct Send may keep a code (Meta, "Configure message time-to-live").
_LONGEST_CODE_TTL: Final = 900

_TEMPLATE_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:_[A-Za-z]{2,4})?")


@dataclass(frozen=True, slots=True)
class MetaOptions:
    """A lane's settings of what is sent.

    Attributes:
        template: name of the template that carries a text outside the window, as its only parameter; empty for none.
        template_language: of templates that do not say it.
        direct_send: category under which a text goes out outside the window; empty for not at all.
        ttl: seconds that Direct Send may try to deliver; None for Meta's own.
    """

    template: str = ""
    template_language: str = "id"
    direct_send: str = ""
    ttl: int | None = None

    @classmethod
    def of(cls, lane: Lane) -> "MetaOptions":
        """Those of a lane; see its row in `antrian.domain.provider_catalog`."""
        ttl = lane.option("ttl")
        return cls(
            template=lane.option("template"),
            template_language=lane.option("template_language") or "id",
            direct_send=lane.option("direct_send"),
            ttl=int(ttl) if ttl else None,
        )


def payload_of(outgoing: Outgoing, options: MetaOptions, now: float) -> dict[str, Any] | Failed:
    """The body of `POST /{phone number id}/messages`, or why Meta must not be asked.

    Args:
        outgoing: the message.
        options: the lane's.
        now: unix seconds.
    """
    person = person_of(outgoing)
    if not person:
        return refused("bad-recipient", "the recipient is neither one number in E.164 nor a business-scoped user id")
    content = content_of(
        outgoing,
        now,
        as_text=_text,
        own=lambda wanted: _own_template(wanted, options),
        otherwise=lambda text: _instead(text, options),
    )
    if isinstance(content, Failed):
        return content
    is_phone = PHONE.fullmatch(person) is not None
    if not is_phone and content.get("category") == "authentication":
        return refused("needs-phone", "a code goes to a phone number only, and this recipient's is not known")
    payload: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to" if is_phone else "recipient": person,
        **content,
    }
    if 0 < len(outgoing.correlation_id) <= LONGEST_CORRELATION:
        payload["biz_opaque_callback_data"] = outgoing.correlation_id
    return payload


def _instead(text: str, options: MetaOptions) -> dict[str, Any] | Failed:
    return _lanes_template(text, options) if options.template else _direct(text, options)


def _text(text: str) -> dict[str, Any] | Failed:
    if len(text) > LONGEST_TEXT:
        return refused("too-long", f"the text has more than {LONGEST_TEXT} characters")
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _direct(text: str, options: MetaOptions) -> dict[str, Any] | Failed:
    if not options.direct_send:
        return needs_template()
    content = _text(text)
    if isinstance(content, Failed):
        return content
    content["category"] = options.direct_send
    if options.ttl is not None:
        is_code = options.direct_send == "authentication"
        content["ttl_seconds"] = min(options.ttl, _LONGEST_CODE_TTL) if is_code else options.ttl
    return content


def _lanes_template(text: str, options: MetaOptions) -> dict[str, Any] | Failed:
    parameter = one_line(text)
    if not parameter:
        return refused("bad-template", "the text is empty, and a template's parameter must not be")
    return _template(options.template, options.template_language, [{"type": "text", "text": parameter}], [])


def _own_template(wanted: Mapping[str, Any], options: MetaOptions) -> dict[str, Any] | Failed:
    """The template that a message names: `{"name": …, "language"?: …, "parameters"?: …, "buttons"?: …}`."""
    name, language = wanted.get("name"), wanted.get("language") or options.template_language
    if not isinstance(name, str) or not _TEMPLATE_NAME.fullmatch(name):
        return bad_template("has no usable name: small letters, digits and _")
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        return bad_template("has no usable language, such as id or en_US")
    body, buttons = parameters(wanted.get("parameters")), parameters(wanted.get("buttons"))
    if body is None or buttons is None:
        return bad_template("has parameters that are not texts or numbers, or that are empty")
    is_named = isinstance(wanted.get("parameters"), Mapping)
    return _template(
        name,
        language,
        [{"type": "text", "text": text} | ({"parameter_name": key} if is_named else {}) for key, text in body],
        [{"type": "text", "text": text} for _, text in buttons],
    )


def _template(
    name: str, language: str, body: Sequence[dict[str, str]], buttons: Sequence[dict[str, str]]
) -> dict[str, Any]:
    template: dict[str, Any] = {"name": name, "language": {"code": language}}
    components: list[dict[str, Any]] = [{"type": "body", "parameters": list(body)}] if body else []
    # A template of a code demands it once more, for its button.
    components += [
        {"type": "button", "sub_type": "url", "index": str(index), "parameters": [button]}
        for index, button in enumerate(buttons)
    ]
    if components:
        template["components"] = components
    return {"type": "template", "template": template}
