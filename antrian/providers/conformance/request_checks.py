"""Checks of what is sent: one request, to one recipient, with the text exactly as it was given."""

import re
from typing import Final

from antrian.domain.failure_class import FailureClass
from antrian.providers.conformance.check import Area, Checks, ConformanceError, demand, demand_class, told
from antrian.providers.conformance.fault_server import FaultServer, answer_each
from antrian.providers.conformance.probe import KEY, RECIPIENT, AnswerCase, ProviderProbe, Situation
from antrian.providers.conformance.sending import HttpRequest, SendAttempt, attempt, client, message, send

CHECKS = Checks(Area.REQUEST)

#: By name, so that a provider can say which it must refuse.
TEXTS: Final = {
    "emoji": "Halo 👨‍👩‍👧 😀 ☎️",
    "lines": "satu\ndua\r\ntiga\n\n",
    "quotes": "\"Budi\" 'Ani' `x` \\n \\ / <b>&amp;</b>",
    "form": "a=1&b=2;c+d%20e%zz #f ?",
    "spaces": "  di tepi\t\u00a0\u2028 ",
    "template": "{{1}} {nama} ${x} %s {0} [y]",
    "choice": "{Halo|Hai} Budi",
    "placeholders": "{name} {number} {var1} {{nama}}",
    "bars": "satu|dua,tiga;empat",
    "scripts": "مرحبا 你好 Здравствуйте ꦲꦏ꧀ꦱꦫ",
    "stars": "*tebal* _miring_ ~coret~ ```kode``` @62812 #1",
    "long": "panjang " * 190,
}

#: Who is no single recipient; nothing may be sent to any of them.
_NOT_ONE_RECIPIENT: Final = (
    "",
    "+",
    "0812 3456 7890",
    "+6281234567890,+6281234567891",
    "+6281234567890|x",
    "+6281234567890\n+6281234567891",
    "120363041234567890@g.us",
    "+6281234567890@g.us",
    "status@broadcast",
)


def accepted_case(probe: ProviderProbe) -> AnswerCase:
    """How the provider says that it took the message.

    Raises:
        ConformanceError: it is not described.
    """
    case = probe.case(Situation.ACCEPTED)
    if case is None:
        raise ConformanceError("the description has no case of Situation.ACCEPTED")
    return case


def sent_once(probe: ProviderProbe, text: str, what: str) -> tuple[HttpRequest, object]:
    """Send a text that is accepted; the one request, and its body decoded."""
    sent = attempt(probe, answer_each(accepted_case(probe).answers), message(probe, text))
    demand_class(sent.result, {None}, f"{what}, accepted by the provider")
    return _only_request(sent, probe)


def _only_request(sent: SendAttempt, probe: ProviderProbe) -> tuple[HttpRequest, object]:
    demand(sent.requests, f"nothing was sent; the adapter says {told(sent.result)}")
    allowed = len(accepted_case(probe).answers)
    demand(len(sent.requests) <= allowed, f"{len(sent.requests)} requests were made, and {allowed} are described")
    request = sent.requests[0]
    return request, request.fields(probe.request.media_type)


@CHECKS.add()
def the_text_arrives_exactly(probe: ProviderProbe) -> None:
    """Each of `TEXTS` arrives as it is, or is refused before anything is sent, where the description says so."""
    for name, text in TEXTS.items():
        if name in probe.refused_texts:
            continue
        request, fields = sent_once(probe, text, f"the text {name!r}")
        found = request.value(probe.request.text, fields)
        demand(found == text, f"the text {name!r} does not stand in {probe.request.text!r} as it was given: {found!r}")


@CHECKS.add(lambda probe: bool(probe.refused_texts))
def a_text_that_the_provider_would_change_is_not_sent(probe: ProviderProbe) -> None:
    """A text that this provider would change is refused for good, without a request."""
    for name in sorted(probe.refused_texts):
        refused = attempt(probe, answer_each(accepted_case(probe).answers), message(probe, TEXTS[name]))
        demand_class(refused.result, {FailureClass.REJECTED}, f"the text {name!r}")
        demand(not refused.connections, f"the text {name!r} was refused, and something was sent all the same")


@CHECKS.add()
def half_a_character_is_not_sent(probe: ProviderProbe) -> None:
    """Half of a surrogate pair cannot be written in UTF-8: it is refused, and nothing is raised."""
    refused = attempt(probe, answer_each(accepted_case(probe).answers), message(probe, "Halo \ud83d"))
    demand_class(refused.result, {FailureClass.REJECTED}, "a text with half of a surrogate pair")
    demand(not refused.connections, "a text with half of a surrogate pair was sent")


@CHECKS.add()
def one_recipient_gets_it(probe: ProviderProbe) -> None:
    """The recipient stands in its place as the provider writes it, and nothing else is like a number of theirs."""
    request, fields = sent_once(probe, "Halo", "a short text")
    found = request.value(probe.request.recipient, fields)
    wanted = probe.request.recipient_value
    demand(found == wanted, f"{probe.request.recipient!r} says {found!r}, and the recipient is {wanted!r}")
    times = request.body.count(RECIPIENT.lstrip("+").encode())
    demand(times == 1, f"the recipient's number stands {times} times in the request")


@CHECKS.add()
def what_is_no_single_recipient_is_not_sent(probe: ProviderProbe) -> None:
    """A list, a group or a number that is not E.164 is refused for good, without a request."""
    for recipient in _NOT_ONE_RECIPIENT:
        outgoing = message(probe, "Halo", recipient)
        refused = attempt(probe, answer_each(accepted_case(probe).answers), outgoing)
        demand_class(refused.result, {FailureClass.REJECTED}, f"the recipient {recipient!r}")
        demand(not refused.connections, f"the recipient {recipient!r} was refused, and something was sent all the same")


@CHECKS.add()
def the_request_keeps_the_vendor_s_description(probe: ProviderProbe) -> None:
    """Method, path, type and fields are those that the vendor has published."""
    shape = probe.request
    request, fields = sent_once(probe, "Halo", "a short text")
    demand(request.method == "POST", f"the message is sent by {request.method}, which may stand in logs: use POST")
    demand(request.path == shape.path, f"the path is {request.path!r}, and {shape.source} says {shape.path!r}")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    demand(media_type == shape.media_type, f"Content-Type is {media_type!r}, and must be {shape.media_type!r}")
    unknown = set(fields) - shape.known if shape.known and isinstance(fields, dict) else ()
    demand(not unknown, f"{shape.source} knows no field {', '.join(sorted(unknown))}")
    for rule in shape.rules:
        value = request.value(rule.place, fields)
        demand(value is not None or not rule.required, f"{rule.place!r} is missing; see {shape.source}")
        demand(value is None or type(value) is rule.kind, f"{rule.place!r} is {value!r}, and no {rule.kind.__name__}")
        said = str(value).lower() if isinstance(value, bool) else str(value)
        fits = value is None or re.fullmatch(rule.pattern, said, re.DOTALL)
        demand(fits, f"{rule.place!r} is {value!r}, and {shape.source} demands {rule.pattern!r}")


@CHECKS.add()
def the_key_stands_in_its_place_only(probe: ProviderProbe) -> None:
    """The key goes where the vendor wants it, and not into the path, which stands in logs."""
    shape = probe.request
    request, fields = sent_once(probe, "Halo", "a short text")
    found = request.value(shape.credentials, fields)
    demand(found == shape.credentials_value, f"{shape.credentials!r} does not hold the key as {shape.source} says")
    for secret in (KEY, *probe.secrets, shape.credentials_value):
        demand(secret not in request.path, "a secret stands in the request's path, which stands in logs")


@CHECKS.add(lambda probe: bool(probe.request.correlation))
def our_name_goes_with_each_attempt(probe: ProviderProbe) -> None:
    """The provider is given a name that is another one for each attempt, and the same for the same one."""
    names, told = [], []
    for number in (1, 1, 2):
        outgoing = message(probe, "Halo", attempt=number)
        sent = attempt(probe, answer_each(accepted_case(probe).answers), outgoing)
        request, fields = _only_request(sent, probe)
        names.append(request.value(probe.request.correlation, fields))
        with client(probe, "http://127.0.0.1:9") as provider:
            told.append(provider.echoed_id(outgoing.correlation_id))
    demand(names[0], f"{probe.request.correlation!r} is empty")
    demand(names[0] == names[1], "the same attempt is given two names")
    demand(names[0] != names[2], "two attempts are given one name: a receipt of the first would prove the second")
    demand(told == names, f"`echoed_id` says {told[0]!r}, and the provider was given {names[0]!r}")


@CHECKS.add()
def nothing_is_carried_over_from_one_send_to_the_next(probe: ProviderProbe) -> None:
    """A cookie of the provider is not sent back."""
    cookie = accepted_case(probe).answers[0].replace(b"\r\n", b"\r\nSet-Cookie: track=1\r\n", 1)
    with FaultServer(answer_each([cookie])) as server, client(probe, server.url) as provider:
        for _ in range(2):
            demand_class(send(provider, message(probe)), {None}, "accepted, with a cookie")
        sent = [HttpRequest.read(raw) for raw in server.requests]
    demand(not [one for one in sent if "cookie" in one.headers], "a cookie of the provider is sent back")
