"""Checks of what proves a webhook: the right secrets, and nothing that is nearly right."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from antrian.domain.receipt import (
    ProviderEvent,
    UnreadableReport,
)
from antrian.providers.conformance.check import Area, Checks, demand
from antrian.providers.conformance.probe import NEXT_SECRET, SECRET, ProviderProbe
from antrian.providers.conformance.receiving import (
    OTHER_SECRET,
    URL,
    has_webhooks,
    is_signed,
    parts_of,
    read,
    request_of,
    verify,
    with_header,
)
from antrian.providers.webhook import WebhookRequest

CHECKS = Checks(Area.WEBHOOKS, has_webhooks)

_NO_SECRETS: Final[tuple[tuple[str, ...], ...]] = ((), ("",), ("", ""))


@CHECKS.add(is_signed)
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
            "signed with another secret": request_of(webhooks, sample, OTHER_SECRET),
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


@CHECKS.add(is_signed)
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


@CHECKS.add(is_signed)
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


@CHECKS.add(lambda probe: has_webhooks(probe) and parts_of(probe)[1].challenge is not None)
def the_address_is_proved_by_a_challenge(probe: ProviderProbe) -> None:
    """A GET with the right secret is answered, and with another one, or none, is not."""
    reader, webhooks = parts_of(probe)
    query, answer = webhooks.challenge or ((), "")

    def asked(pairs: Sequence[tuple[str, str]], secrets: Sequence[str]) -> str | None:
        request = WebhookRequest("GET", f"{URL}?{urlencode(pairs)}", tuple(pairs), {}, b"")
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
        for secrets in ((OTHER_SECRET,), (), ("",)):
            demand(asked(query, secrets) is None, f"the challenge is answered with the secrets {secrets}")
        emptied = [(name, "" if value == SECRET else value) for name, value in query]
        demand(asked(emptied, ("",)) is None, "an empty secret proves the address")
