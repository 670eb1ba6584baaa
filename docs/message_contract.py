"""The message contract for other languages: JSON Schema, AsyncAPI, and a page for people, all from the code."""

import ast
import json
from pathlib import Path
from string import Template
from typing import Any

from generated import EXAMPLES, TEMPLATES, documented, table

from antrian.broker.topology import Names
from antrian.domain import body as message_body
from antrian.domain import headers as wire_headers
from antrian.domain import message, phone_number, phone_spelling, priority, trace_context
from antrian.domain.message import MessageBody, Priority

NAMES = Names()
PRIORITIES = ", ".join(f"{one.value} {one.name.lower()}" for one in Priority)

#: AMQP properties, as JSON Schema; `x-amqp-type` and `x-set-by` are for the page.
PROPERTIES: dict[str, dict[str, Any]] = {
    "message_id": {
        "type": "string",
        "pattern": f"^[!-~]{{1,{message.LONGEST_MESSAGE_ID}}}$",
        "description": "A new UUID per message; publish again with the same one after a failed or unknown confirm. "
        "Absent or unusable: made from the body and the other properties, so that two messages alike in all of "
        "them count as one.",
        "x-amqp-type": "short string",
        "x-set-by": "publisher, should",
    },
    "priority": {
        "type": "integer",
        "minimum": 0,
        "maximum": 255,
        "examples": [one.value for one in Priority],
        "description": f"{PRIORITIES}. Numbers in between count, too. Absent: low.",
        "x-amqp-type": "octet",
        "x-set-by": "publisher, should",
    },
    "delivery_mode": {
        "const": 2,
        "description": "Persistent. Without it a restart of the broker loses the message.",
        "x-amqp-type": "octet",
        "x-set-by": "publisher, must",
    },
    "timestamp": {
        "type": "integer",
        "minimum": 1,
        "description": "When the message was made, in unix seconds. Absent: when it was first read.",
        "x-amqp-type": "timestamp",
        "x-set-by": "publisher, should",
    },
    "app_id": {
        "type": "string",
        "description": "The publishing service; the body's `source` is what counts.",
        "x-amqp-type": "short string",
        "x-set-by": "publisher, may",
    },
    "content_type": {
        "type": "string",
        "const": message.CONTENT_TYPE,
        "description": f"`{message.CONTENT_TYPE}`; not looked at.",
        "x-amqp-type": "short string",
        "x-set-by": "publisher, may",
    },
    "content_encoding": {
        "type": "string",
        "const": message.CONTENT_ENCODING,
        "description": f"`{message.CONTENT_ENCODING}` or absent; a compressed body is refused.",
        "x-amqp-type": "short string",
        "x-set-by": "publisher, may",
    },
}

_COUNT = {"type": "integer", "maximum": wire_headers.LARGEST_COUNT}
_MILLISECONDS = {"type": "integer", "minimum": 0, "maximum": wire_headers.LATEST_MILLISECOND}

#: The headers that are read, as JSON Schema.
HEADERS: dict[str, dict[str, Any]] = {
    wire_headers.ATTEMPT: _COUNT
    | {
        "minimum": 1,
        "default": 1,
        "description": "Number of the attempt that comes next.",
        "x-amqp-type": "integer",
        "x-set-by": "Antrian",
    },
    wire_headers.GENERATION: _COUNT
    | {
        "minimum": 0,
        "default": 0,
        "description": "How often the message has been published again, by a retry or a re-drive.",
        "x-amqp-type": "integer",
        "x-set-by": "Antrian",
    },
    wire_headers.QUEUED_AT: _MILLISECONDS
    | {
        "description": "When the message was made, in unix milliseconds; wins over `timestamp`.",
        "x-amqp-type": "integer",
        "x-set-by": "Antrian",
    },
    wire_headers.DUE_AT: _MILLISECONDS
    | {
        "description": "When the message was to be sent, if that was later, or when it was last re-driven; in unix "
        "milliseconds. Kept from its first attempt on, which reads it from the routing key.",
        "x-amqp-type": "integer",
        "x-set-by": "Antrian",
    },
    wire_headers.FAILURES: {
        "type": "array",
        "maxItems": wire_headers.FIRST_FAILURES_KEPT + wire_headers.LAST_FAILURES_KEPT,
        "items": {
            "type": "object",
            "required": ["attempt", "at", "class", "code", "detail"],
            "properties": {
                "attempt": _COUNT | {"minimum": 0, "description": "0 for a delivery that could not be read."},
                "at": _MILLISECONDS | {"description": "Unix milliseconds."},
                "class": {"type": "string", "maxLength": wire_headers.LONGEST_NAME},
                "code": {"type": "string", "maxLength": wire_headers.LONGEST_NAME},
                "detail": {"type": "string", "maxLength": wire_headers.LONGEST_DETAIL},
            },
        },
        "description": "The attempts that failed, oldest first; of more than ten the first and the last nine.",
        "x-amqp-type": "array of tables",
        "x-set-by": "Antrian",
    },
    trace_context.TRACEPARENT: {
        "type": "string",
        "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
        "description": "W3C trace context: kept through retries, dead letters and re-drives, shown in log lines and "
        "events as `trace_id`, never given to the provider. Malformed: ignored.",
        "x-amqp-type": "string",
        "x-set-by": "publisher, may",
    },
    trace_context.TRACESTATE: {
        "type": "string",
        "maxLength": trace_context.LONGEST_TRACESTATE,
        "description": "W3C trace state; belongs to `traceparent`. Malformed: ignored.",
        "x-amqp-type": "string",
        "x-set-by": "publisher, may",
    },
}

#: Why a message is refused. The first group stops a delivery; the second only `new_message`, before publishing.
CODES = {
    "too-large": f"The body passes {message_body.LARGEST_BODY // 1024} KiB.",
    "unsupported-encoding": "`content_encoding` says that the body is compressed or not UTF-8.",
    "bad-header": "An `antrian-…` header has a wrong type or an absurd value.",
    "bad-utf8": "The body is not UTF-8.",
    "not-json": "The body is not JSON that every parser reads: also `NaN`, `Infinity`, half a surrogate pair, numbers "
    "of thousands of digits, more than some 200 levels of nesting, or a byte-order mark in front.",
    "not-an-object": "The body is JSON, but a list, a text, a number or null.",
    "unknown-version": "`version` is not a whole number, or below 1.",
    "wrong-lane": "The body names another lane than the one it was published to.",
    "invalid-fields": "Fields are missing, unknown or wrong; the detail names each one, never its value.",
    "letter-in-phone-number": "The number has a letter, such as O for 0; the detail says where.",
    "foreign-digit": "The number has a digit of another script; the detail says where.",
    "hidden-character": "The number has an invisible character that changes how it is read.",
    "character-in-phone-number": "The number has a character that is neither digit nor separator.",
    "misplaced-plus": "A `+` stands elsewhere than in front.",
    "phone-number-too-short": "Too short for a mobile number of its country; without `+` that is Indonesia.",
    "phone-number-too-long": "Too long for one.",
    "invalid-phone-number": "No number has this prefix and length, or this is no number at all.",
    "not-a-mobile-number": "The number belongs to a landline or a service. Foreign numbers need `+`.",
    "phone-extension": "The number has an extension.",
    "several-phone-numbers": "More than one number, separated by `,` `;` `/` or `|`.",
    "group-id": "A WhatsApp group (`…@g.us`), not a person.",
    "unknown-priority": "Only in Python: the priority is none of the four.",
    "bad-lane": "Only in Python: a lane's name has 1 to 40 letters, digits, `-` and `_`.",
    "bad-message-id": "Only in Python: a message id has 1 to 200 visible ASCII characters.",
}

_REFUSALS = {"MalformedMessage", "InvalidPhoneNumber"}
_REFUSING_MODULES = (message, message_body, phone_number, phone_spelling, priority, wire_headers)


def schema() -> dict[str, Any]:
    """The JSON Schema of the body in all its versions, described for those who publish it."""
    body = MessageBody.model_json_schema()
    versions = range(message_body.OLDEST_VERSION, message_body.NEWEST_VERSION + 1)
    body["properties"]["version"] = {
        "description": MessageBody.model_fields["version"].description,
        "enum": list(versions),
        "title": "Version",
    }
    return body | {
        "allOf": [_without_later_fields(version) for version in versions[:-1]],
        "title": f"Antrian message, versions {versions[0]} to {versions[-1]}",
        "description": "The body of a message to the exchange `wa.messages`. Unknown fields are refused. "
        "Beyond what this schema says, phone_number must be one valid mobile number and metadata must not pass "
        f"{message_body.LARGEST_METADATA // 1024} KiB.",
        "examples": [example()],
    }


def _without_later_fields(version: int) -> dict[str, Any]:
    later = [name for name, since in message_body.SINCE.items() if since > version]
    return {
        "if": {"properties": {"version": {"const": version}}, "required": ["version"]},
        "then": {"properties": dict.fromkeys(later, False)},
    }


def example() -> dict[str, Any]:
    """A small valid body."""
    return {
        "version": 1,
        "phone_number": "081234567890",
        "message": "Terima kasih, pembayaran Anda sudah kami terima.",
        "source": "payment",
        "idempotency_key": "invoice-17",
    }


def json_schema() -> str:
    """docs/reference/message.schema.json."""
    return _json({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema())


def asyncapi() -> str:
    """docs/reference/asyncapi.json: AsyncAPI 3.0, from the publisher's side."""
    return _json(
        {
            "asyncapi": "3.0.0",
            "info": {
                "title": "Antrian: publishing a WhatsApp message",
                "version": "1.0.0",
                "description": "What a service sends so that Antrian delivers a WhatsApp message. "
                "Written from the publisher's side: `send` is what the publisher does.",
                "license": {"name": "MIT"},
            },
            "defaultContentType": message.CONTENT_TYPE,
            "channels": {NAMES.messages: _channel()},
            "operations": {"queueMessage": _operation()},
            "components": {"messages": {"message": _message()}, "schemas": {"body": schema()}},
        },
    )


def _channel() -> dict[str, Any]:
    return {
        "address": "{lane}",
        "title": "Messages to be sent",
        "description": "A direct exchange; the routing key is the lane. "
        f"The prefix `{NAMES.namespace}` is WHATSAPP_QUEUE_NAMESPACE.",
        "parameters": {"lane": {"description": "The sender's queue.", "default": "default"}},
        "messages": {"message": {"$ref": "#/components/messages/message"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": NAMES.messages, "type": "direct", "durable": True, "autoDelete": False},
                "bindingVersion": "0.3.0",
            },
        },
    }


def _operation() -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{NAMES.messages}"},
        "summary": "Queue one message.",
        "description": "Switch publisher confirms on first: the message is safe when the broker has confirmed it, and "
        "not before. A message that comes back (basic.return) names a lane that does not exist.",
        "bindings": {
            "amqp": {"deliveryMode": 2, "mandatory": True, "timestamp": True, "bindingVersion": "0.3.0"},
        },
    }


def _message() -> dict[str, Any]:
    return {
        "name": "message",
        "title": "One WhatsApp message",
        "contentType": message.CONTENT_TYPE,
        "headers": {"type": "object", "properties": HEADERS},
        "payload": {"$ref": "#/components/schemas/body"},
        "bindings": {"amqp": {"contentEncoding": message.CONTENT_ENCODING, "bindingVersion": "0.3.0"}},
        "examples": [{"name": "payment", "payload": example()}],
        "x-amqp-properties": {"type": "object", "required": ["delivery_mode"], "properties": PROPERTIES},
    }


def page() -> str:
    """docs/reference/message.md.

    Raises:
        LookupError: a code is not explained, or one is explained that nothing raises.
    """
    documented("codes of malformed messages", _codes_raised(), set(CODES))
    return Template((TEMPLATES / "message.md").read_text(encoding="utf-8")).substitute(
        exchange=NAMES.messages,
        fields=table(("field", "type", "", "meaning"), _field_rows()),
        properties=table(("property", "AMQP type", "set by", "meaning"), _rows(PROPERTIES)),
        headers=table(("header", "AMQP type", "set by", "meaning"), _rows(HEADERS)),
        codes=table(("code", "meaning"), [(f"`{code}`", meaning) for code, meaning in CODES.items()]),
        example=json.dumps(example(), indent=2),
        python=(EXAMPLES / "publish.py").read_text(encoding="utf-8").strip(),
        php=(EXAMPLES / "publish.php").read_text(encoding="utf-8").strip(),
    )


def _field_rows() -> list[tuple[str, str, str, str]]:
    body = schema()
    return [
        (f"`{name}`", _type(field), _need(name, body["required"]), field["description"])
        for name, field in body["properties"].items()
    ]


def _need(name: str, required: list[str]) -> str:
    since = message_body.SINCE[name]
    return "required" if name in required else f"version {since}" if since > message_body.OLDEST_VERSION else ""


def _type(field: dict[str, Any]) -> str:
    kind: dict[str, Any] = next((one for one in field.get("anyOf", ()) if one["type"] != "null"), field)
    if "enum" in kind:
        return " or ".join(f"`{one}`" for one in kind["enum"])
    if "maxLength" in kind:
        return f"string, {kind['minLength']} to {kind['maxLength']} characters"
    if kind["type"] == "object":
        kilobytes = message_body.LARGEST_METADATA // 1024
        return f"object of simple values, up to {kind['maxProperties']} keys and {kilobytes} KiB"
    return "string, date-time" if kind.get("format") == "date-time" else str(kind["type"])


def _rows(described: dict[str, dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(f"`{name}`", one["x-amqp-type"], one["x-set-by"], one["description"]) for name, one in described.items()]


def _codes_raised() -> set[str]:
    """Every code that the modules of the contract give to a refusal, read from their source."""
    trees = [ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")) for module in _REFUSING_MODULES]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in _REFUSALS
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
