"""Checks of webhooks: the genuine ones are read, and what is forged, spoilt or unknown does no harm."""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final
from urllib.parse import urlencode

from antrian.domain.events import Event
from antrian.domain.receipt import (
    LONGEST_RAW,
    AccountNotice,
    DeliveryReceipt,
    ProviderEvent,
    UnreadableReport,
    reported,
)
from antrian.providers.conformance.check import Area, Checks, ConformanceError, demand
from antrian.providers.conformance.probe import NEXT_SECRET, SECRET, ProviderProbe, WebhookProbe, WebhookSample
from antrian.providers.webhook import WebhookReader, WebhookRequest

#: When the checks take place: a fixed moment, so that nothing depends on the day of a run.
NOW: Final = 1_795_000_000.0
_NO_SECRETS: Final[tuple[tuple[str, ...], ...]] = ((), ("",), ("", ""))
_OTHER_SECRET: Final = "k1t-webhook-secret-of-another-99"  # noqa: S105 (of no one)
_URL: Final = "https://receipts.example.com/receipts/default/0123456789abcdef0123456789abcdef"


def _has_webhooks(probe: ProviderProbe) -> bool:
    return probe.reader is not None and probe.webhooks is not None


def _is_signed(probe: ProviderProbe) -> bool:
    return _has_webhooks(probe) and probe.webhooks is not None and probe.webhooks.sign is not None


def _is_batched(probe: ProviderProbe) -> bool:
    return _has_webhooks(probe) and probe.webhooks is not None and probe.webhooks.batch is not None


CHECKS = Checks(Area.WEBHOOKS, _has_webhooks)


def parts_of(probe: ProviderProbe) -> tuple[WebhookReader, WebhookProbe]:
    """The reader and the description of the webhooks.

    Raises:
        ConformanceError: there are none.
    """
    if probe.reader is None or probe.webhooks is None:
        raise ConformanceError("no webhooks are described")
    return probe.reader, probe.webhooks


def request_of(webhooks: WebhookProbe, sample: WebhookSample, secret: str = SECRET) -> WebhookRequest:
    """The request that brings a sample, signed where the provider signs."""
    url = f"{_URL}?{urlencode(sample.query)}" if sample.query else _URL
    headers = {"content-type": sample.media_type, "content-length": str(len(sample.body)), "user-agent": "provider/1"}
    request = WebhookRequest("POST", url, sample.query, headers, sample.body)
    return webhooks.sign(request, secret) if webhooks.sign else request


def read(probe: ProviderProbe, request: WebhookRequest) -> list[ProviderEvent]:
    """Read a request; whatever is raised is the adapter's fault.

    Raises:
        ConformanceError: something was raised, or what came is not a list of events.
    """
    reader, webhooks = parts_of(probe)
    try:
        events = list(reader.read(request, webhooks.lane, NOW))
    except Exception as error:
        raise ConformanceError(f"`read` raised {type(error).__name__}: {error}; body {request.body[:80]!r}") from error
    for event in events:
        demand(isinstance(event, ProviderEvent), f"`read` gave {type(event).__name__}, which is no event")
        _demand_written_down(event)
        long = len(event.raw) if isinstance(event, UnreadableReport) else 0
        demand(long <= LONGEST_RAW, f"an UnreadableReport keeps {long} characters, and {LONGEST_RAW} are allowed")
    return events


def _demand_written_down(event: ProviderEvent) -> None:
    try:
        written = reported(event, lane="default", provider="x", sender="x", at=NOW, source="x").encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise ConformanceError(f"an event cannot be written as JSON: {type(error).__name__}: {error}") from error
    demand(Event.decode(written), f"an event cannot be read again once it is written: {written[:200]!r}")


def verify(probe: ProviderProbe, request: WebhookRequest, secrets: Sequence[str] = (SECRET,)) -> bool:
    """Ask whether a request is genuine; whatever is raised is the adapter's fault.

    Raises:
        ConformanceError: something was raised.
    """
    reader, webhooks = parts_of(probe)
    try:
        return bool(reader.verify(request, secrets, webhooks.lane, NOW))
    except Exception as error:
        raise ConformanceError(f"`verify` raised {type(error).__name__}: {error}") from error


def with_header(request: WebhookRequest, name: str, value: str | None) -> WebhookRequest:
    """The same request with another header, or without it."""
    headers = {key: said for key, said in request.headers.items() if key != name}
    return replace(request, headers=headers if value is None else headers | {name: value})


@CHECKS.add()
def genuine_webhooks_are_accepted_and_read(probe: ProviderProbe) -> None:
    """Every sample is proved, and tells what the description says."""
    _, webhooks = parts_of(probe)
    demand(webhooks.samples, "no samples are described")
    for sample in webhooks.samples:
        request = request_of(webhooks, sample)
        demand(verify(probe, request), f"{sample.name!r} is genuine, and is refused")
        demand_events(read(probe, request), sample.events, sample.name)


def demand_events(found: Sequence[ProviderEvent], wanted: Sequence[ProviderEvent], when: str) -> None:
    """Demand these events, in order; what is left at its default in one is not compared."""
    kinds = [type(event).__name__ for event in found]
    demand([type(event) for event in found] == [type(event) for event in wanted], f"{when!r} tells {kinds}: {found}")
    for one, other in zip(found, wanted, strict=True):
        for part in fields(other):
            value, said = getattr(other, part.name), getattr(one, part.name)
            demand(not value or said == value, f"{when!r}: {part.name} is {said!r}, not {value!r}")


@CHECKS.add(_is_signed)
def what_is_not_signed_with_the_secret_is_refused(probe: ProviderProbe) -> None:
    """No signature, the one of another secret or of another body, or a part of the right one."""
    _, webhooks = parts_of(probe)
    demand(webhooks.signature, "the description does not name the header with the signature")
    for sample in webhooks.samples:
        genuine = request_of(webhooks, sample)
        right = genuine.header(webhooks.signature)
        demand(right, f"the samples are signed in another header than {webhooks.signature!r}")
        forged = {
            "without a signature": with_header(genuine, webhooks.signature, None),
            "signed with another secret": request_of(webhooks, sample, _OTHER_SECRET),
            "signed for another body": replace(genuine, body=_other_body(genuine.body)),
        }
        forged |= {
            f"signed {value[:90]!r}": with_header(genuine, webhooks.signature, value) for value in _spoilt(right)
        }
        for how, request in forged.items():
            demand(not verify(probe, request), f"{sample.name!r}, {how}, is accepted")


def _other_body(body: bytes) -> bytes:
    """Another body that means something: one letter of it is another one."""
    for number, letter in enumerate(body):
        if chr(letter).isalnum() and number > len(body) // 2:
            return body[:number] + (b"1" if letter != ord("1") else b"2") + body[number + 1 :]
    return body + b" "


def _spoilt(right: str) -> Iterator[str]:
    """Signatures that are nearly right."""
    prefix, mark, digest = right.rpartition("=") if "=" in right.rstrip("=") else ("", "", right)
    start = prefix + mark
    yield from ("", " ", start, start * 2, "null", "0", "\u00e9" * 40, "\ud800", "a" * 100_000)
    yield from (start + digest[:length] for length in (1, 8, len(digest) // 2, len(digest) - 4))
    for place in (0, 7, len(digest) // 2, len(digest) - 4):
        other = "0" if digest[place] != "0" else "1"
        yield start + digest[:place] + other + digest[place + 1 :]
    yield start + "0" * len(digest)
    yield f"{start}{digest[: len(digest) // 2]},{start}{'0' * len(digest)}"


@CHECKS.add(_is_signed)
def spellings_of_a_signature_raise_nothing(probe: ProviderProbe) -> None:
    """Spaces around, another case of letters: accepted or refused, never an error; the header counts by its name."""
    _, webhooks = parts_of(probe)
    genuine = request_of(webhooks, webhooks.samples[0])
    right = genuine.header(webhooks.signature)
    for value in (
        f" {right} ",
        f"\t{right}\r\n",
        right.upper(),
        right.lower(),
        right.replace("=", " = ", 1),
        f'"{right}"',
    ):
        verify(probe, with_header(genuine, webhooks.signature, value))
    moved = with_header(with_header(genuine, webhooks.signature, None), f"x-{webhooks.signature}", right)
    demand(not verify(probe, moved), "a signature in another header is accepted")


@CHECKS.add(_is_signed)
def a_secret_is_replaced_without_losing_a_webhook(probe: ProviderProbe) -> None:
    """Of two secrets, either counts; none, and an empty one, never do."""
    _, webhooks = parts_of(probe)
    sample = webhooks.samples[0]
    old, new = request_of(webhooks, sample), request_of(webhooks, sample, NEXT_SECRET)
    for secrets in ((SECRET, NEXT_SECRET), (NEXT_SECRET, SECRET), (SECRET, "", NEXT_SECRET)):
        demand(verify(probe, old, secrets), "of two secrets, the old one no longer counts")
        demand(verify(probe, new, secrets), "of two secrets, the new one does not count")
    demand(not verify(probe, old, (NEXT_SECRET,)), "a secret that was taken out still counts")
    empty = request_of(webhooks, sample, "")
    for none in _NO_SECRETS:
        demand(not verify(probe, empty, none), f"an empty secret proves a webhook: {none}")
        demand(not verify(probe, old, none), f"a webhook is accepted without a secret: {none}")
    demand(not verify(probe, empty, (SECRET, "")), "an empty secret beside a right one proves a webhook")


@CHECKS.add()
def a_webhook_of_another_sender_is_refused(probe: ProviderProbe) -> None:
    """Where nothing is signed, a webhook must at least name the lane's own sender."""
    _, webhooks = parts_of(probe)
    demand(webhooks.sign or webhooks.foreign, "nothing is signed, and `foreign` has no webhook of another sender")
    for sample in webhooks.foreign:
        request = request_of(webhooks, sample)
        demand(not verify(probe, request) or not _counts(read(probe, request)), f"{sample.name!r} is accepted")


def _counts(events: Sequence[ProviderEvent]) -> bool:
    return any(not isinstance(event, UnreadableReport) for event in events)


@CHECKS.add()
def a_repeated_webhook_is_known_by_its_key(probe: ProviderProbe) -> None:
    """The same request has the same key again, whatever stands in headers that nobody signs; another has another."""
    reader, webhooks = parts_of(probe)
    keys = {}
    for sample in webhooks.samples:
        request = request_of(webhooks, sample)
        key = reader.repeat_key(request)
        keys[sample.name] = key
        demand(key == reader.repeat_key(request_of(webhooks, sample)), f"{sample.name!r} has two keys")
        for name in request.headers:
            changed = with_header(request, name, "other/1")
            same = reader.repeat_key(changed) == key
            proved = name == webhooks.signature or not verify(probe, changed)
            demand(same or proved, f"{sample.name!r}: its key follows from the header {name!r}, which nobody signs")
        demand(read(probe, request) == read(probe, request), f"{sample.name!r} tells two things when read twice")
    given = [key for key in keys.values() if key]
    demand(len(set(given)) == len(given), f"two webhooks have one key: {keys}")


@CHECKS.add()
def the_order_of_webhooks_changes_nothing(probe: ProviderProbe) -> None:
    """What one tells does not depend on those read before it, nor on the order of fields in it."""
    _, webhooks = parts_of(probe)
    requests = [request_of(webhooks, sample) for sample in webhooks.samples]
    forwards = [read(probe, request) for request in requests]
    backwards = [read(probe, request) for request in reversed(requests)]
    demand(forwards == backwards[::-1], "what a webhook tells depends on those before it")
    for sample, told in zip(webhooks.samples, forwards, strict=True):
        turned = replace(sample, body=_turned(sample))
        request = request_of(webhooks, turned)
        demand(verify(probe, request), f"{sample.name!r} with its fields in another order is refused")
        demand(read(probe, request) == told, f"{sample.name!r} with its fields in another order tells something else")


def _turned(sample: WebhookSample) -> bytes:
    """The same body with its fields in the opposite order."""
    if sample.media_type == "application/json":
        return json.dumps(_reversed(json.loads(sample.body)), ensure_ascii=False).encode()
    return b"&".join(reversed(sample.body.split(b"&")))


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(one) for one in value] if isinstance(value, list) else value


@CHECKS.add(_is_batched)
def one_bad_event_of_a_batch_spoils_no_other(probe: ProviderProbe) -> None:
    """Of several events in one request, those that can be read count, in order; the bad one is kept as unreadable."""
    _, webhooks = parts_of(probe)
    batch = webhooks.batch
    if batch is None:
        return
    parts, events = [part for part, _ in batch.parts], [event for _, event in batch.parts]
    whole = WebhookSample(name="a batch", body=batch.join(parts))
    demand_events(read(probe, request_of(webhooks, whole)), events, "a batch")
    for bad in batch.bad:
        for place in range(len(parts) + 1):
            mixed = WebhookSample(name="a batch", body=batch.join([*parts[:place], bad, *parts[place:]]))
            found = read(probe, request_of(webhooks, mixed))
            readable = [event for event in found if not isinstance(event, UnreadableReport)]
            demand_events(readable, events, f"a batch with {bad!r} at {place}")
            demand(len(found) > len(readable), f"a batch with {bad!r} at {place}: it is lost instead of being kept")


@CHECKS.add()
def what_is_new_is_kept(probe: ProviderProbe) -> None:
    """An event or a status that nobody has described yet becomes an `UnreadableReport` or an `AccountNotice`."""
    _, webhooks = parts_of(probe)
    demand(webhooks.unknown, "no webhooks of an unknown kind are described, in `unknown`")
    for sample in webhooks.unknown:
        request = request_of(webhooks, sample)
        demand(verify(probe, request), f"{sample.name!r} is genuine, and is refused")
        found = read(probe, request)
        kept = [event for event in found if isinstance(event, UnreadableReport | AccountNotice)]
        demand(kept, f"{sample.name!r} is not kept: {found}")
        demand(
            not [event for event in found if isinstance(event, DeliveryReceipt)],
            f"{sample.name!r} is taken for a receipt",
        )


@CHECKS.add()
def an_old_webhook_is_told_with_its_own_time(probe: ProviderProbe) -> None:
    """Providers deliver again for days: what is old counts, unless its age is signed and too high."""
    reader, webhooks = parts_of(probe)
    for sample in webhooks.samples:
        request = request_of(webhooks, sample)
        week_later = NOW + 7 * 86_400
        accepted = reader.verify(request, (SECRET,), webhooks.lane, week_later)
        if webhooks.signs_time is not None:
            demand(not accepted, f"{sample.name!r} is a week old by its signed time, and is accepted")
            continue
        demand(accepted, f"{sample.name!r} comes a week late, and is refused")
        later = list(reader.read(request, webhooks.lane, week_later))
        demand_events(later, sample.events, f"{sample.name}, a week late")


@CHECKS.add()
def a_wrong_content_type_does_no_harm(probe: ProviderProbe) -> None:
    """Whatever the header says, nothing is raised, and nothing false is told."""
    _, webhooks = parts_of(probe)
    for sample in webhooks.samples:
        told = read(probe, request_of(webhooks, sample))
        for media_type in (
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json",
            "image/png",
            ";;",
        ):
            found = read(probe, request_of(webhooks, replace(sample, media_type=media_type)))
            false = [
                event
                for event in found
                if event not in told and not isinstance(event, UnreadableReport | AccountNotice)
            ]
            demand(not false, f"{sample.name!r} as {media_type!r} tells {false}")


@CHECKS.add()
def a_body_that_is_spoilt_raises_nothing(probe: ProviderProbe) -> None:
    """Cut short, nested without end, huge, not even text: nothing is raised, and it is kept as unreadable."""
    _, webhooks = parts_of(probe)
    deep = 100_000
    bodies = (
        b"", b"{", b"[]", b"null", b"17", b'"x"', b"{}", b"\xff\xfe\x00", b"[" * deep, b'{"a":' * deep,
        b"[" * deep + b"]" * deep, b'{"a":1e999,"b":NaN}', b"&=&&==%zz", b"a" * 5_000_000, b"9" * 50_000,
    )  # fmt: skip
    for body in bodies:
        for sample in webhooks.samples[:1]:
            spoilt = replace(sample, body=body)
            request = request_of(webhooks, spoilt)
            verify(probe, request)
            demand(not _is_receipt(read(probe, request)), f"a receipt is read from {body[:20]!r}")
    for sample in webhooks.samples:
        for end in range(0, len(sample.body) - 1, max(1, len(sample.body) // 40)):
            request = request_of(webhooks, replace(sample, body=sample.body[:end]))
            verify(probe, request)
            read(probe, request)


@CHECKS.add()
def a_value_nested_as_deep_as_can_be_read_raises_nothing(probe: ProviderProbe) -> None:
    """Some depths can be read as JSON, and then neither be walked through nor be written again."""
    _, webhooks = parts_of(probe)
    for sample in (*webhooks.samples, *webhooks.unknown):
        if sample.media_type != "application/json":
            continue
        for depth in (200, 450, 490, 700, 900, 950, 975, 985, 990, 995):
            nested = b"[" * depth + b"]" * depth
            for body in _with_each_value(sample.body, nested):
                request = request_of(webhooks, replace(sample, body=body))
                verify(probe, request)
                read(probe, request)


def _with_each_value(body: bytes, nested: bytes) -> Iterator[bytes]:
    """The body with one of its texts replaced, each in its turn, and with a field more in its outermost object."""
    texts = list(re.finditer(rb':\s*("[^"\\]*")', body))
    for found in texts[:: max(1, len(texts) // 4)]:
        yield body[: found.start(1)] + nested + body[found.end(1) :]
    yield body[:-1] + b', "more": ' + nested + b"}"


def _is_receipt(events: Sequence[ProviderEvent]) -> bool:
    return any(isinstance(event, DeliveryReceipt) for event in events)


@CHECKS.add()
def no_value_anywhere_raises_anything(probe: ProviderProbe) -> None:
    """Each sample, with a few of its values replaced by others of any type, a few hundred times."""
    _, webhooks = parts_of(probe)
    chance = random.Random(17)  # noqa: S311 (the same cases in every run)
    for sample in (*webhooks.samples, *webhooks.unknown):
        for _ in range(60):
            body = _mutated(sample, chance)
            request = request_of(webhooks, replace(sample, body=body))
            verify(probe, request)
            parts_of(probe)[0].repeat_key(request)
            read(probe, request)


def _mutated(sample: WebhookSample, chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.2 or sample.media_type != "application/json":  # noqa: PLR2004 (a share)
        body = bytearray(sample.body)
        for _ in range(chance.randint(1, 6)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        return bytes(body)
    value = json.loads(sample.body)
    for _ in range(chance.randint(1, 4)):
        value = _with_another(value, chance)
    return json.dumps(value).encode()


_ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 10**30, 1e300, "", "x", "\u0000", "\ud800", "9" * 5000, [], {}, [[]], [None],
    {"id": 1}, [{"id": "x"}], "1795000000", -1e300, "NaN", "+6281234567890", "a@b@c:::",
)  # fmt: skip


def _with_another(value: Any, chance: random.Random) -> Any:
    """The same JSON with one value somewhere in it replaced."""
    if isinstance(value, dict) and value and chance.random() < 0.9:  # noqa: PLR2004 (a share)
        name = chance.choice(list(value))
        return value | {name: _with_another(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:  # noqa: PLR2004 (a share)
        place = chance.randrange(len(value))
        return [*value[:place], _with_another(value[place], chance), *value[place + 1 :]]
    return chance.choice(_ODD)


@CHECKS.add(lambda probe: _has_webhooks(probe) and parts_of(probe)[1].challenge is not None)
def the_address_is_proved_by_a_challenge(probe: ProviderProbe) -> None:
    """A GET with the right secret is answered, and with another one, or none, is not."""
    reader, webhooks = parts_of(probe)
    query, answer = webhooks.challenge or ((), "")

    def asked(pairs: Sequence[tuple[str, str]], secrets: Sequence[str]) -> str | None:
        request = WebhookRequest("GET", f"{_URL}?{urlencode(pairs)}", tuple(pairs), {}, b"")
        return reader.challenge(request, secrets, webhooks.lane)

    demand(asked(query, (SECRET,)) == answer, "the right challenge is not answered as described")
    for place, (name, value) in enumerate(query):
        if value != answer:
            for other in ("", "other", value[:-1], f"{value}0"):
                changed = [*query[:place], (name, other), *query[place + 1 :]]
                demand(asked(changed, (SECRET,)) is None, f"the challenge is answered with {name} = {other!r}")
        left_out = [*query[:place], *query[place + 1 :]]
        demand(asked(left_out, (SECRET,)) is None, f"the challenge is answered without {name!r}")
    if SECRET in dict(query).values():
        for secrets in ((_OTHER_SECRET,), (), ("",)):
            demand(asked(query, secrets) is None, f"the challenge is answered with the secrets {secrets}")
        emptied = [(name, "" if value == SECRET else value) for name, value in query]
        demand(asked(emptied, ("",)) is None, "an empty secret proves the address")


@CHECKS.add(_has_webhooks)
def nothing_of_a_webhook_is_kept_too_long_or_shows_a_secret(probe: ProviderProbe) -> None:
    """Details are short, and no webhook secret is told."""
    _, webhooks = parts_of(probe)
    for sample in (*webhooks.samples, *webhooks.unknown):
        for event in read(probe, request_of(webhooks, sample)):
            detail = str(getattr(event, "detail", ""))
            demand(len(detail) <= 200, f"{sample.name!r}: a detail has {len(detail)} characters")  # noqa: PLR2004
            for secret in (SECRET, *probe.secrets):
                demand(secret not in repr(event), f"{sample.name!r} tells a secret")


def unsigned(headers: Mapping[str, str], body: bytes) -> WebhookRequest:
    """A request to the lane's address, for tests."""
    return WebhookRequest("POST", _URL, (), headers, body)
