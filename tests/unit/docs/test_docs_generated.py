import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pika
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from antrian.domain import headers as wire_headers
from antrian.domain.body import parse
from antrian.domain.errors import MalformedMessage
from antrian.domain.message import AttemptFailure, MessageBody, decode, encode, new_message, retry_of
from antrian.domain.settings import Settings
from antrian.domain.trace_context import TraceContext

DOCS = Path(__file__).resolve().parents[3] / "docs"
NOW = 1_795_000_000.0
FIELDS = {"version": 1, "phone_number": "081234567890", "message": "Halo", "source": "payment"}


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    """docs/generate.py, which finds its neighbours because it is run as a script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield _module("generate")
    for neighbour in DOCS.glob("*.py"):
        sys.modules.pop(neighbour.stem, None)


@pytest.fixture(scope="module")
def documents(generate: ModuleType) -> dict[str, Any]:
    """The generators, each of which does its work once for all tests that are about what becomes of the texts."""
    return {path: cache(write) for path, write in generate.DOCUMENTS.items()}


def _module(name: str, folder: Path = DOCS) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _reference(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DOCS / "reference" / name).read_text(encoding="utf-8"))
    return document


# The files in the repository are those that the code would write.


def test_the_generated_files_match_the_code(
    generate: ModuleType, documents: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "DOCUMENTS", documents)

    assert generate.outdated(DOCS) == []


def test_only_what_differs_is_written_again(
    generate: ModuleType, documents: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(generate, "DOCUMENTS", documents)
    generate.write(tmp_path)
    (tmp_path / "reference" / "settings.md").write_text("changed by hand", encoding="utf-8")

    assert generate.outdated(tmp_path) == ["reference/settings.md"]
    assert generate.write(tmp_path) == ["reference/settings.md"]
    assert generate.outdated(tmp_path) == []


def test_the_command_fails_with_check_and_mends_without(
    generate: ModuleType,
    documents: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    monkeypatch.setattr(generate, "DOCUMENTS", documents)

    assert generate.main(["--check"]) == 1
    assert "docs/reference/message.schema.json differs" in capsys.readouterr().out
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_a_setting_without_a_meaning_fails(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(generate.settings_table.MEANINGS, "admin_port")

    assert generate.main(["--check"]) == 1
    assert "admin_port" in capsys.readouterr().err


def test_a_code_without_an_explanation_fails(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(generate.message_contract.CODES, "of-old", "No longer raised.")

    assert generate.main(["--check"]) == 1
    assert "of-old" in capsys.readouterr().err


def test_a_label_without_its_values_fails(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(generate.metrics_page.LABELS, "failure_class")

    assert generate.main(["--check"]) == 1
    assert "failure_class" in capsys.readouterr().err


def test_a_command_that_says_nothing_about_itself_fails(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.callback()
    def callback() -> None:
        pass

    @app.command()
    def silent() -> None:
        pass

    monkeypatch.setattr(generate.cli_page, "app", app)

    assert generate.main(["--check"]) == 1
    assert "`antrian silent` says nothing about itself" in capsys.readouterr().err


def test_every_command_has_a_section() -> None:
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^## `antrian (.+)`$", page, flags=re.MULTILINE))

    assert sections >= {"publish", "dead redrive", "topology plan", "token create", "history search", "doctor"}


def test_every_address_has_a_row() -> None:
    page = (DOCS / "reference" / "http.md").read_text(encoding="utf-8")
    described = _reference("openapi.json")["paths"]

    for path, methods in described.items():
        for method in methods:
            assert f"| `{method.upper()} {path.replace('/admin/whatsapp-queue', '…', 1)}` |" in page


def test_every_setting_has_a_row() -> None:
    page = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")

    assert all(f"| `{name.upper()}` |" in page for name in Settings.model_fields)


# The schema says what the model does.


@pytest.fixture(scope="module")
def body_schema() -> jsonschema.Draft202012Validator:
    schema = _reference("message.schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


simple = st.text(max_size=20) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none()
values = simple | st.lists(simple, max_size=2) | st.dictionaries(st.text(max_size=5), simple, max_size=3)
optional_fields = st.dictionaries(
    st.sampled_from(
        ["message", "source", "idempotency_key", "expires_at", "metadata", "version", "purpose", "unknown"]
    ),
    values
    | st.sampled_from([1, 2, "reminder"])
    | st.sampled_from(["2026-01-31T17:00:00+07:00", "", "  ", "a\0", "x" * 101, "x" * 4097]),
    max_size=2,
)


@settings(deadline=None)
@given(optional_fields)
def test_the_schema_accepts_what_the_model_accepts(
    body_schema: jsonschema.Draft202012Validator, fields: dict[str, Any]
) -> None:
    body = FIELDS | fields
    try:
        parse(json.dumps(body).encode())
    except MalformedMessage:
        return
    body_schema.validate(body)


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 0},
        {"version": 9999},
        {"purpose": "payment"},
        {"version": 2, "purpose": "Two words"},
        {"version": 2, "correlation_id": ""},
        {"unknown": 1},
        {"phone_number": 81234567890},
        {"message": ""},
        {"message": " \n"},
        {"message": "a\0"},
        {"message": "x" * 4097},
        {"source": ""},
        {"source": "two\nlines"},
        {"source": "x" * 101},
        {"idempotency_key": ""},
        {"idempotency_key": "x" * 201},
        {"expires_at": 1},
        {"metadata": []},
        {"metadata": {"a": []}},
        {"metadata": {str(n): n for n in range(51)}},
    ],
)
def test_the_schema_refuses_what_the_model_refuses(
    body_schema: jsonschema.Draft202012Validator, fields: dict[str, Any]
) -> None:
    with pytest.raises(MalformedMessage):
        parse(json.dumps(FIELDS | fields).encode())
    assert not body_schema.is_valid(FIELDS | fields)


def test_the_schemas_own_example_is_accepted() -> None:
    (example,) = _reference("message.schema.json")["examples"]

    assert MessageBody.model_validate_json(json.dumps(example)).idempotency_key == "invoice-17"


# AsyncAPI describes the exchange, and what goes over it.


def _resolve(document: dict[str, Any], reference: dict[str, str]) -> dict[str, Any]:
    found: Any = document
    for part in reference["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def test_asyncapi_leads_from_the_operation_to_the_body() -> None:
    document = _reference("asyncapi.json")

    operation = document["operations"]["queueMessage"]
    channel = _resolve(document, operation["channel"])
    message = _resolve(document, channel["messages"]["message"])
    payload = _resolve(document, message["payload"])

    assert document["asyncapi"] == "3.0.0"
    assert operation["action"] == "send"
    assert operation["bindings"]["amqp"]["mandatory"] is True
    assert channel["address"] == "{lane}"
    assert channel["bindings"]["amqp"]["exchange"]["name"] == "wa.messages"
    assert set(payload["properties"]) == set(MessageBody.model_fields)


def test_asyncapi_describes_every_property_and_header_that_is_written() -> None:
    message = _reference("asyncapi.json")["components"]["messages"]["message"]
    failure = AttemptFailure(1, NOW, "transient", "http-500", "the provider failed")
    trace = TraceContext(f"00-{'a' * 32}-{'b' * 16}-01", "vendor=1")
    ours = new_message("081234567890", "Halo", source="a", now=NOW, trace=trace)
    _, properties = encode(retry_of(replace(ours, due_at=NOW + 60), failure, attempt=2))
    written = {name: value for name, value in vars(properties).items() if value is not None}
    headers = written.pop("headers")

    jsonschema.validate(headers, message["headers"] | {"additionalProperties": False})
    jsonschema.validate(written, message["x-amqp-properties"] | {"additionalProperties": False})
    assert set(headers) == set(message["headers"]["properties"])


@pytest.mark.parametrize(
    "headers",
    [
        {wire_headers.ATTEMPT: 0},
        {wire_headers.GENERATION: -1},
        {wire_headers.QUEUED_AT: "now"},
        {wire_headers.FAILURES: [{"attempt": 1}]},
    ],
)
def test_the_header_schema_refuses_what_decode_refuses(headers: dict[str, Any]) -> None:
    schema = _reference("asyncapi.json")["components"]["messages"]["message"]["headers"]

    with pytest.raises(MalformedMessage):
        decode(json.dumps(FIELDS).encode(), pika.BasicProperties(headers=headers), "default", now=NOW)
    assert not jsonschema.Draft202012Validator(schema).is_valid(headers)


# The examples work.


def test_the_python_example_makes_a_message() -> None:
    body, properties = _module("publish", DOCS / "examples").compose()

    message = decode(body, properties, "default", now=NOW)

    assert message.body.phone_number == "+6281234567890"
    assert message.message_id == properties.message_id
    assert message.priority == 9
