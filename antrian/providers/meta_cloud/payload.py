"""What Meta is asked to send: pure; whether a text or a template may go is decided here, before anything is sent.

Whoever wrote to the sender within 24 hours may be sent any text. Everyone else may be sent an approved template only,
or, where Meta has enabled Direct Send for the account, a text with a category.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.providers.contract import Failed, Outgoing

#: The key of a message's metadata that names a template of its own.
TEMPLATE_KEY: Final = "whatsapp_template"

#: Characters of a text (Meta, "Text messages") and of `biz_opaque_callback_data` ("Messages", same manual).
LONGEST_TEXT: Final = 4096
LONGEST_CORRELATION: Final = 512
#: Seconds that Direct Send may keep a code (Meta, "Configure message time-to-live").
_LONGEST_CODE_TTL: Final = 900

#: Meta states no limit; more is a mistake.
_MOST_PARAMETERS: Final = 64

_PHONE: Final = re.compile(r"\+[0-9]{6,15}")
_BSUID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_TEMPLATE_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:_[A-Za-z]{2,4})?")
_PARAMETER_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}")


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
    recipient = _recipient(outgoing)
    content = _content(outgoing, options, now)
    if isinstance(recipient, Failed):
        return recipient
    if isinstance(content, Failed):
        return content
    if "to" not in recipient and content.get("category") == "authentication":
        return _refused("needs-phone", "a code goes to a phone number only, and this recipient's is not known")
    payload: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual", **recipient, **content}
    if 0 < len(outgoing.correlation_id) <= LONGEST_CORRELATION:
        payload["biz_opaque_callback_data"] = outgoing.correlation_id
    return payload


def private_texts(outgoing: Outgoing) -> Iterator[str]:
    """What must not appear in what we keep of Meta's words about this message: it quotes parameters it dislikes."""
    yield outgoing.text
    yield one_line(outgoing.text)
    yield outgoing.recipient.removeprefix("+")
    yield outgoing.bsuid
    wanted = outgoing.metadata.get(TEMPLATE_KEY)
    if isinstance(wanted, Mapping):
        for _, value in (*_pairs(wanted.get("parameters")), *_pairs(wanted.get("buttons"))):
            yield one_line(str(value))


def one_line(text: str) -> str:
    """A text as a template's parameter: without line breaks and tabs, and without many spaces in a row.

    Meta refuses others with 132018, "cannot have new-line/tab characters or more than 4 consecutive spaces".
    """
    return " ".join(text.split())


def _recipient(outgoing: Outgoing) -> dict[str, str] | Failed:
    """The phone number wins where both are known, as it does at Meta."""
    if _PHONE.fullmatch(outgoing.recipient):
        return {"to": outgoing.recipient}
    for name in (outgoing.bsuid, outgoing.recipient):
        if _BSUID.fullmatch(name):
            return {"recipient": name}
    return _refused("bad-recipient", "the recipient is neither one number in E.164 nor a business-scoped user id")


def _content(outgoing: Outgoing, options: MetaOptions, now: float) -> dict[str, Any] | Failed:
    if not _is_unicode(outgoing.text):
        return _refused("not-unicode", "the text contains half of a surrogate pair")
    if outgoing.window_until is not None and outgoing.window_until > now:
        return _text(outgoing.text)
    return _outside_window(outgoing, options)


def _outside_window(outgoing: Outgoing, options: MetaOptions) -> dict[str, Any] | Failed:
    if outgoing.metadata.get(TEMPLATE_KEY) is not None:
        return _own_template(outgoing.metadata[TEMPLATE_KEY], options)
    if options.template:
        parameter = one_line(outgoing.text)
        if not parameter:
            return _refused("bad-template", "the text is empty, and a template's parameter must not be")
        return _template(options.template, options.template_language, [{"type": "text", "text": parameter}], [])
    if options.direct_send:
        return _direct(outgoing.text, options)
    return _refused(
        "needs-template",
        "the recipient did not write within 24 hours, and neither the message nor the lane names a template",
    )


def _text(text: str) -> dict[str, Any] | Failed:
    if len(text) > LONGEST_TEXT:
        return _refused("too-long", f"the text has more than {LONGEST_TEXT} characters")
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _direct(text: str, options: MetaOptions) -> dict[str, Any] | Failed:
    content = _text(text)
    if isinstance(content, Failed):
        return content
    content["category"] = options.direct_send
    if options.ttl is not None:
        is_code = options.direct_send == "authentication"
        content["ttl_seconds"] = min(options.ttl, _LONGEST_CODE_TTL) if is_code else options.ttl
    return content


def _own_template(wanted: object, options: MetaOptions) -> dict[str, Any] | Failed:
    """The template that a message names: `{"name": …, "language"?: …, "parameters"?: …, "buttons"?: …}`."""
    if not isinstance(wanted, Mapping):
        return _bad("must be an object with a name")
    name, language = wanted.get("name"), wanted.get("language") or options.template_language
    if not isinstance(name, str) or not _TEMPLATE_NAME.fullmatch(name):
        return _bad("has no usable name: small letters, digits and _")
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        return _bad("has no usable language, such as id or en_US")
    parameters, buttons = _parameters(wanted.get("parameters")), _parameters(wanted.get("buttons"))
    if parameters is None or buttons is None:
        return _bad("has parameters that are not texts or numbers, or that are empty")
    return _template(name, language, parameters, buttons)


def _template(
    name: str, language: str, parameters: Sequence[dict[str, str]], buttons: Sequence[dict[str, str]]
) -> dict[str, Any]:
    template: dict[str, Any] = {"name": name, "language": {"code": language}}
    components: list[dict[str, Any]] = [{"type": "body", "parameters": list(parameters)}] if parameters else []
    # A template of a code demands it once more, for its button.
    components += [
        {"type": "button", "sub_type": "url", "index": str(index), "parameters": [button]}
        for index, button in enumerate(buttons)
    ]
    if components:
        template["components"] = components
    return {"type": "template", "template": template}


def _parameters(given: object) -> list[dict[str, str]] | None:
    """Parameters as Meta takes them, from a list in their order or an object by their names; None for unusable ones."""
    pairs = _pairs(given)
    if given is not None and not isinstance(given, Mapping | list | tuple):
        return None
    if len(pairs) > _MOST_PARAMETERS:
        return None
    found: list[dict[str, str]] = []
    for name, value in pairs:
        text = one_line(str(value))
        is_usable = isinstance(value, str | int | float) and text and _is_unicode(text)
        if not is_usable or (name is not None and not _PARAMETER_NAME.fullmatch(name)):
            return None
        found.append({"type": "text", "text": text} | ({} if name is None else {"parameter_name": name}))
    return found


def _pairs(given: object) -> list[tuple[str | None, object]]:
    if isinstance(given, Mapping):
        return [(str(name), value) for name, value in given.items()]
    return [(None, value) for value in given] if isinstance(given, list | tuple) else []


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bad(what: str) -> Failed:
    return _refused("bad-template", f"{TEMPLATE_KEY} in the message's metadata {what}")


def _refused(code: str, detail: str) -> Failed:
    return Failed(FailureClass.REJECTED, code, detail)
