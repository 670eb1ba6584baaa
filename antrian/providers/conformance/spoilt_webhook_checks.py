"""Checks of webhooks that are spoilt: nothing is raised, and nothing false is told."""

import json
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from antrian.providers.conformance.check import Area, Checks, demand
from antrian.providers.conformance.probe import ProviderProbe, WebhookSample
from antrian.providers.conformance.receiving import (
    has_webhooks,
    is_receipt,
    parts_of,
    read,
    request_of,
    verify,
)

CHECKS = Checks(Area.WEBHOOKS, has_webhooks)

#: Some libraries raise Python's own limit, which is 1,000; a body must stay one that a server takes.
_DEEPEST: Final = 5_000


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
            demand(not is_receipt(read(probe, request)), f"a receipt is read from {body[:20]!r}")
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
        for share in (0.2, 0.45, 0.6, 0.8, 0.9, 0.95, 0.99):
            depth = int(share * min(sys.getrecursionlimit(), _DEEPEST))
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
