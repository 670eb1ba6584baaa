"""Whatever a stranger sends is never a server's error, and never an event unless it is proved.

`ANTRIAN_FUZZ_EXAMPLES=20000` for a long run.
"""

import asyncio
import json
import os
from dataclasses import replace
from functools import cache
from urllib.parse import urlencode

import pytest
from asgi_call import RememberedBatches, call, make_app
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from signed_reader import READER, SECRET, path

from antrian.domain.lane import Lane
from antrian.domain.provider_catalog import PROVIDERS, ReceiptProof
from antrian.providers.receipt_readers import READERS
from antrian.receipts.app import ReceiptsApp
from antrian.receipts.failures import FailureLimit
from antrian.receipts.repeats import Repeats

EXAMPLES = int(os.environ.get("ANTRIAN_FUZZ_EXAMPLES", "300"))
PROVIDERS_READ = {"the tests' own": READER} | READERS

#: What providers' bodies are made of, so that arbitrary ones get further than their first brace.
_WORDS = st.sampled_from(
    [
        "told",
        "kind",
        "status",
        "entry",
        "changes",
        "value",
        "messages",
        "statuses",
        "id",
        "from",
        "to",
        "text",
        "body",
        "timestamp",
        "event",
        "payload",
        "ack",
        "MessageSid",
        "MessageStatus",
        "From",
        "To",
        "Body",
        "object",
        "field",
        "metadata",
        "phone_number_id",
        "device",
        "sender",
        "message",
        "state",
        "session",
        "data",
        "results",
        "type",
        "errors",
        "code",
        "title",
        "recipient_id",
        "biz_opaque_callback_data",
        "contacts",
        "wa_id",
    ]
)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _WORDS
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS | st.text(max_size=8), inner, max_size=6),
    max_leaves=25,
)
_FORMS = st.dictionaries(_WORDS, st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=6)
BODIES = st.one_of(
    st.binary(max_size=300),
    _VALUES.map(lambda value: json.dumps(value).encode()),
    _FORMS.map(lambda form: urlencode(form).encode()),
    st.integers(1, 3_000).map(lambda depth: b"[" * depth),
    st.integers(1, 3_000).map(lambda depth: b'{"entry":' * depth + b"1" + b"}" * depth),
)
_TYPES = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""]
)
_NAMES = st.sampled_from(
    [
        "content-length",
        "x-hub-signature-256",
        "x-twilio-signature",
        "x-webhook-hmac",
        "x-webhook-hmac-algorithm",
        "x-webhook-timestamp",
        "x-webhook-request-id",
        "x-hub-signature",
        "x-gowa-signature",
        "authorization",
        "x-forwarded-for",
    ]
)
_VISIBLE = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80)
HEADERS = st.tuples(_TYPES, st.lists(st.tuples(_NAMES, _VISIBLE), max_size=5)).map(
    lambda found: [("content-type", found[0]), *found[1]]
)
_ANY_PATH = st.binary(max_size=60) | st.just(path()).map(lambda right: right[:-1].encode())
METHODS = st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "PUT", "OPTIONS"])
_QUERY = st.binary(max_size=40) | st.just(b"hub.mode=subscribe&hub.challenge=1&hub.verify_token=x")


def lane_of(provider: str) -> Lane:
    known = provider if provider in PROVIDERS else "sandbox"
    return Lane(name="default", provider=known, sender="6281200000000", webhook_secrets=(SecretStr(SECRET),))


@pytest.fixture(scope="module")
def loop():
    """One loop for all examples: making one takes longer than a request."""
    with asyncio.Runner() as runner:
        yield runner


@cache
def app_of(provider: str, *, is_proved: bool) -> tuple[ReceiptsApp, RememberedBatches]:
    reader = PROVIDERS_READ[provider]
    if is_proved:
        reader = replace(reader, verify=lambda *_: True, content_types=frozenset())
    return make_app(reader, lane_of(provider))


def fresh(provider: str, *, is_proved: bool) -> tuple[ReceiptsApp, RememberedBatches]:
    """An application that remembers nothing of the example before."""
    app, writer = app_of(provider, is_proved=is_proved)
    writer.batches.clear()
    app._failures, app._repeats = FailureLimit(), Repeats()
    return app, writer


def latin(headers):
    return [(name.encode(), value.encode("latin-1")) for name, value in headers]


@pytest.mark.parametrize("provider", PROVIDERS_READ)
@settings(max_examples=EXAMPLES)
@given(body=BODIES, headers=HEADERS, method=METHODS, query=_QUERY, any_path=_ANY_PATH, at_its_path=st.booleans())
def test_what_is_not_proved_is_refused_and_changes_nothing(
    loop, provider, body, headers, method, query, any_path, at_its_path
):
    # Where the address is all that proves a request, one that has it is proved.
    is_signed = PROVIDERS[lane_of(provider).provider].receipts is ReceiptProof.SIGNATURE
    where = path() if at_its_path and is_signed else any_path
    app, writer = fresh(provider, is_proved=False)
    answer = loop.run(call(app, where, body, latin(headers), method=method, query=query))
    assert answer.status < 500
    assert answer.status in {200, 400, 401, 404, 405, 413, 415}
    assert answer.status != 200 or method in {"GET", "HEAD"}
    assert not writer.batches


@pytest.mark.parametrize("provider", PROVIDERS_READ)
@settings(max_examples=EXAMPLES)
@given(body=BODIES, headers=HEADERS, query=_QUERY)
def test_what_is_proved_can_always_be_written_down(loop, provider, body, headers, query):
    app, writer = fresh(provider, is_proved=True)
    headers = [(name, value) for name, value in headers if name != "content-length"]
    assert loop.run(call(app, path(), body, latin(headers), query=query)).status == 200
    for batch in writer.batches:
        for one in batch:
            assert len(one.routing_key.encode()) <= 255
            keys = (one.properties.headers or {}).get("CC", [])
            assert all(len(key.encode()) <= 255 for key in keys)
    assert all(event.at for event in writer.events)
