"""The JSON body of a message: what another service may say, checked field by field."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from antrian.domain.errors import InvalidPhoneNumber, MalformedMessage
from antrian.domain.phone_number import normalize

#: Larger bodies are refused unread, in bytes. The fields' own bounds keep a valid body far below it.
LARGEST_BODY = 256 * 1024
LONGEST_MESSAGE = 4096
LONGEST_SOURCE = 100
LONGEST_KEY = 200
MOST_METADATA_KEYS = 50
LARGEST_METADATA = 8 * 1024

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


_Key = Annotated[str, Field(min_length=1, max_length=LONGEST_KEY, pattern=_ONE_LINE)]
_Metadata = Annotated[
    dict[str, str | int | float | bool | None], Field(max_length=MOST_METADATA_KEYS), AfterValidator(_small)
]


class MessageBody(BaseModel):
    """What is to be sent, to whom, and on whose behalf; immutable.

    An unknown field is refused, not ignored: a misspelt `idempotency_key` or `expires_at` that nobody reads would
    send twice or too late without a word. So a field that is added later makes a new `version`.
    `repr` shows neither number nor text nor key, so that no log line and no traceback does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    version: Literal[1] = Field(description="Version of this contract.")
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
    expires_at: Annotated[AwareDatetime | None, BeforeValidator(_written_time), AfterValidator(_in_utc)] = Field(
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


def parse(body: bytes) -> MessageBody:
    """Read a body.

    Raises:
        MalformedMessage: `too-large`, `bad-utf8`, `not-json`, `not-an-object`, `unknown-version`, `invalid-fields`,
            or as `InvalidPhoneNumber` one of `antrian.domain.phone_number.normalize`.
    """
    if len(body) > LARGEST_BODY:
        raise MalformedMessage("too-large", f"the body is larger than {LARGEST_BODY} bytes")
    try:
        return MessageBody.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(body) or _explain(error) from None


def build(**fields: Any) -> MessageBody:
    """Make a body of version 1 from its fields; an optional one that is absent is better left out than None.

    Raises:
        MalformedMessage: as `parse` does.
    """
    try:
        # What `MessageBody(…)` does in the end, without a second look at the arguments.
        body: MessageBody = MessageBody.__pydantic_validator__.validate_python({"version": 1, **fields})
    except ValidationError as error:
        raise _explain(error) from None
    return body


def _unreadable(body: bytes) -> MalformedMessage | None:
    # Pydantic's parser reads NaN, Infinity and 4,000-digit numbers, which are no JSON that others could read.
    try:
        json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return MalformedMessage("bad-utf8", "the body is not UTF-8")
    except (ValueError, RecursionError):
        return MalformedMessage("not-json", "the body is not JSON")
    return None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _explain(error: ValidationError) -> MalformedMessage:
    details = error.errors(include_url=False, include_input=False)
    first = details[0]
    if first["type"] == "json_invalid":
        # JSON to Python's parser but not to pydantic's: half a surrogate pair, or nested too deeply.
        return MalformedMessage("not-json", "the body is not strictly valid JSON")
    if first["type"] == "model_type":
        return MalformedMessage("not-an-object", "the body is JSON, but not an object")
    if any(detail["loc"] == ("version",) and detail["type"] != "missing" for detail in details):
        return MalformedMessage("unknown-version", "this version of the contract is not supported; use version 1")
    if len(details) == 1 and first["type"] == "phone_number":
        reason = first["ctx"]["detail"]
        return InvalidPhoneNumber(first["ctx"]["code"], reason, {"phone_number": reason})
    # One sentence per field: a wrong metadata value alone makes five errors, one for each type that it is not.
    sentences = {_field_name(detail): _sentence(detail) for detail in reversed(details)}
    listed = [f"{name} {text}" for name, text in sorted(sentences.items())]
    more = f"; and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    return MalformedMessage("invalid-fields", "; ".join(listed[:_MOST_LISTED]) + more, sentences)


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
