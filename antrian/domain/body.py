"""The JSON body of a message: what another service may say, checked field by field.

Each field says since which version of the contract it exists. A body is read by its own version, so that a field of
version 2 in a body of version 1 is as unknown as it was then; and it is written in the lowest version that has all of
its fields, so that a consumer of that version can read it. A version above `NEWEST_VERSION` cannot be judged here.
"""

import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from antrian.domain.errors import InvalidPhoneNumber, MalformedMessage, NewerVersion
from antrian.domain.phone_number import normalize

#: Larger bodies are refused unread, in bytes. The fields' own bounds keep a valid body far below it.
LARGEST_BODY = 256 * 1024
LONGEST_MESSAGE = 4096
LONGEST_SOURCE = 100
LONGEST_KEY = 200
LONGEST_CORRELATION_ID = 200
MOST_METADATA_KEYS = 50
LARGEST_METADATA = 8 * 1024

#: The versions of the contract that can be read. Version 1 stays among them for ever.
OLDEST_VERSION, NEWEST_VERSION = 1, 2

_LARGEST_INTEGER = 2**63 - 1
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt _]")
# Something must be visible. A NUL ends the text early in some gateways, and some databases refuse it.
_VISIBLE_TEXT = r"^[^\x00]*[^\s\x00-\x1f\x7f\u200b-\u200f\u2060\ufeff][^\x00]*$"
# No control characters, and no blank in front, in what is compared, counted and shown on one line.
_ONE_LINE = r"^[^\s\x00-\x1f\x7f-\x9f\ufeff][^\x00-\x1f\x7f-\x9f]*$"
# A detail goes into headers and events, which must stay small.
_MOST_LISTED = 10
# Only names like ours are repeated in an error: a stranger's field name could be anything, even a phone number.
_FIELD_NAME = re.compile(r"[A-Za-z_]{1,40}")


def _e164(raw: str) -> str:
    try:
        return normalize(raw)
    except InvalidPhoneNumber as error:
        # Pydantic's own kind of error, so that the other wrong fields are found as well.
        raise PydanticCustomError("phone_number", "{detail}", {"code": error.code, "detail": error.detail}) from None


def _written_time(value: object) -> object:
    # Pydantic would take a number, even inside a string, for seconds or milliseconds, whichever looks likelier.
    if value is None or isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise ValueError("must be an RFC 3339 time with its offset, such as 2026-01-31T17:00:00+07:00")


def _in_utc(moment: datetime | None) -> datetime | None:
    try:
        return moment and moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie between the years 1 and 9999") from None


def _small(metadata: dict[str, Any]) -> dict[str, Any]:
    if any(type(value) is int and abs(value) > _LARGEST_INTEGER for value in metadata.values()):
        raise ValueError("whole numbers must fit into 64 bits")
    try:
        size = len(json.dumps(metadata, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        raise ValueError("the text contains half of a surrogate pair") from None
    if size > LARGEST_METADATA:
        raise ValueError(f"must not be larger than {LARGEST_METADATA} bytes as JSON")
    return metadata


class Since(NamedTuple):
    """Marks a field that is not in version 1."""

    version: int


_Moment = Annotated[AwareDatetime | None, BeforeValidator(_written_time), AfterValidator(_in_utc)]
_Key = Annotated[str, Field(min_length=1, max_length=LONGEST_KEY, pattern=_ONE_LINE)]
_Metadata = Annotated[
    dict[str, str | int | float | bool | None], Field(max_length=MOST_METADATA_KEYS), AfterValidator(_small)
]


class MessageBody(BaseModel):
    """What is to be sent, to whom, and on whose behalf; immutable.

    An unknown field is refused, not ignored: a misspelt `idempotency_key` or `expires_at` that nobody reads would
    send twice or too late without a word. So a field that is added later makes a new `version`; it is `Since` that
    one, optional, and None in bodies of older versions.
    `repr` shows neither number nor text nor key, so that no log line and no traceback does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    version: int = Field(description="Version of this contract.", strict=True, ge=OLDEST_VERSION, le=NEWEST_VERSION)
    phone_number: Annotated[str, AfterValidator(_e164)] = Field(
        description="The recipient's mobile number in any usual spelling; without a country code it is Indonesian.",
        examples=["081234567890", "+62 812-3456-7890", "6281234567890"],
        repr=False,
    )
    message: str = Field(
        description="The text to send.",
        examples=["Terima kasih, pembayaran Anda sudah kami terima."],
        min_length=1,
        max_length=LONGEST_MESSAGE,
        pattern=_VISIBLE_TEXT,
        repr=False,
    )
    source: str = Field(
        description="The service that it is sent for.",
        examples=["registration", "payment"],
        min_length=1,
        max_length=LONGEST_SOURCE,
        pattern=_ONE_LINE,
    )
    idempotency_key: _Key | None = Field(
        default=None,
        description="Of several messages with the same key only the first is sent, while the key is remembered.",
        examples=["invoice-17"],
        repr=False,
    )
    expires_at: _Moment = Field(
        default=None,
        description="After this moment the message is no longer sent: RFC 3339, with its offset.",
        examples=["2026-01-31T17:00:00+07:00"],
    )
    metadata: _Metadata | None = Field(
        default=None,
        description="The sender's own notes, kept with the message and in its history.",
        examples=[{"invoice": 17, "branch": "Bandung"}],
        repr=False,
    )
    purpose: Annotated[str | None, Since(2)] = Field(
        default=None,
        description="What kind of message it is, in one word of the publisher's own choice.",
        examples=["payment", "activation", "reminder", "marketing"],
        pattern=r"^[a-z][a-z0-9_-]{0,39}$",
    )
    lane: Annotated[str | None, Since(2)] = Field(
        default=None,
        description="The lane that it is meant for; in the queue of another one the message is refused.",
        examples=["default"],
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$",
    )
    deliver_at: Annotated[_Moment, Since(2)] = Field(
        default=None,
        description="Before this moment the message is not sent: RFC 3339, with its offset.",
        examples=["2026-01-31T08:00:00+07:00"],
    )
    correlation_id: Annotated[str | None, Since(2)] = Field(
        default=None,
        description="The publisher's own name for the matter; it comes back with each event about the message.",
        examples=["order-4711"],
        min_length=1,
        max_length=LONGEST_CORRELATION_ID,
        pattern=_ONE_LINE,
    )


#: The version that each field came with.
SINCE: Mapping[str, int] = {
    name: next((mark.version for mark in field.metadata if isinstance(mark, Since)), OLDEST_VERSION)
    for name, field in MessageBody.model_fields.items()
}

#: Fields that are not in every version.
_NEW = frozenset(name for name, since in SINCE.items() if since > OLDEST_VERSION)

#: What bodies of each version cannot say yet.
_LATER = {
    version: frozenset(name for name, since in SINCE.items() if since > version)
    for version in range(OLDEST_VERSION, NEWEST_VERSION + 1)
}


def parse(body: bytes) -> MessageBody:
    """Read a body.

    Raises:
        MalformedMessage: `too-large`, `bad-utf8`, `not-json`, `not-an-object`, `unknown-version`, `invalid-fields`,
            or as `InvalidPhoneNumber` one of `antrian.domain.phone_number.normalize`.
        NewerVersion: it is of a version above `NEWEST_VERSION`, whatever else it says.
    """
    if len(body) > LARGEST_BODY:
        raise MalformedMessage("too-large", f"the body is larger than {LARGEST_BODY} bytes")
    try:
        read = MessageBody.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(body, error) from None
    if too_new := _LATER[read.version] & read.model_fields_set:
        raise _invalid(_not_yet(too_new))
    return read


def build(**fields: Any) -> MessageBody:
    """Make a body from its fields, in the lowest version that has them; an absent one is better left out than None.

    Raises:
        MalformedMessage: as `parse` does.
    """
    try:
        # What `MessageBody(…)` does in the end, without a second look at the arguments.
        body: MessageBody = MessageBody.__pydantic_validator__.validate_python(
            {"version": _version_of(fields), **fields}
        )
    except ValidationError as error:
        raise _explain(error) from None
    return body


def _version_of(fields: Mapping[str, object]) -> int:
    # Nearly always, and each publication asks.
    if _NEW.isdisjoint(fields):
        return OLDEST_VERSION
    return max((SINCE[name] for name in _NEW & fields.keys() if fields[name] is not None), default=OLDEST_VERSION)


def fields_of(body: MessageBody) -> dict[str, Any]:
    """What a body says, its version aside; `build` makes the same of it."""
    return {name: value for name, value in body if name != "version"}


def require_known_version(body: bytes) -> None:
    """Make sure that a delivery that is refused for other reasons is not one for a newer consumer.

    Raises:
        NewerVersion: it is.
    """
    with suppress(ValueError, RecursionError):
        _require_known_version(json.loads(body[: LARGEST_BODY + 1]))


def _require_known_version(values: object) -> None:
    version = values.get("version") if isinstance(values, dict) else None
    if type(version) is int and version > NEWEST_VERSION:
        raise NewerVersion(version, NEWEST_VERSION)


def _refusal(body: bytes, error: ValidationError) -> MalformedMessage:
    """Why a body is refused: it cannot be read, only later versions can read it, or something in it is wrong."""
    # Pydantic's parser reads NaN, Infinity and 4,000-digit numbers, which are no JSON that others could read.
    try:
        values = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return MalformedMessage("bad-utf8", "the body is not UTF-8")
    except (ValueError, RecursionError):
        return MalformedMessage("not-json", "the body is not JSON")
    _require_known_version(values)
    version = values.get("version") if isinstance(values, dict) else None
    too_new = _LATER.get(version, frozenset()) & values.keys() if type(version) is int else ()
    return _explain(error, _not_yet(too_new))


def _not_yet(names: Collection[str]) -> dict[str, str]:
    return dict.fromkeys(names, _SENTENCES["extra_forbidden"])


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _explain(error: ValidationError, more: Mapping[str, str] | None = None) -> MalformedMessage:
    """What pydantic found, and `more` wrong fields, in our words."""
    details = error.errors(include_url=False, include_input=False)
    first = details[0]
    if first["type"] == "json_invalid":
        # JSON to Python's parser but not to pydantic's: half a surrogate pair, or nested too deeply.
        return MalformedMessage("not-json", "the body is not strictly valid JSON")
    if first["type"] == "model_type":
        return MalformedMessage("not-an-object", "the body is JSON, but not an object")
    if any(detail["loc"] == ("version",) and detail["type"] != "missing" for detail in details):
        return MalformedMessage("unknown-version", "this version of the contract is not supported; use version 1")
    if len(details) == 1 and not more and first["type"] == "phone_number":
        reason = first["ctx"]["detail"]
        return InvalidPhoneNumber(first["ctx"]["code"], reason, {"phone_number": reason})
    # One sentence per field: a wrong metadata value alone makes five errors, one for each type that it is not.
    return _invalid({_field_name(detail): _sentence(detail) for detail in reversed(details)} | dict(more or {}))


def _invalid(sentences: dict[str, str]) -> MalformedMessage:
    listed = [f"{name} {text}" for name, text in sorted(sentences.items())]
    rest = f"; and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    return MalformedMessage("invalid-fields", "; ".join(listed[:_MOST_LISTED]) + rest, sentences)


def _field_name(detail: ErrorDetails) -> str:
    name = str(detail["loc"][0])
    return name if _FIELD_NAME.fullmatch(name) else "a field"


_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this contract",
    "string_type": "must be text",
    "string_unicode": "contains half of a surrogate pair",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "is blank or contains control characters",
    "timezone_aware": "must include its offset from UTC",
    "too_long": "has too many entries",
}


def _sentence(detail: ErrorDetails) -> str:
    if detail["loc"][0] == "metadata" and len(detail["loc"]) > 1:
        return "may contain only text, numbers, booleans and null"
    if detail["type"] in _SENTENCES:
        return _SENTENCES[detail["type"]]
    message = detail["msg"].removeprefix("Value error, ")
    return f"is wrong: {message[0].lower()}{message[1:]}"
