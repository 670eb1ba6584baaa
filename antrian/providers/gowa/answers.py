"""What GOWA's answers to `/send/message` mean: pure, and tested as a table.

Its errors are `{"status", "code", "message"}`; the code says most, and the message is whatsmeow's where the code is
`INTERNAL_SERVER_ERROR`.
"""

from collections.abc import Iterable

from antrian.domain.failure_class import FailureClass
from antrian.providers.answer_table import WEB_SERVER, AnswerRow, first_fitting, is_success
from antrian.providers.cold_refusal import COLD_REFUSED, is_cold_refusal, stated_wait
from antrian.providers.contract import Failed, SendResult, Sent
from antrian.providers.http import Answer
from antrian.providers.json_fields import identifier, inner, json_object, words
from antrian.providers.redaction import quote

_ERRORS = "aldinokemal/go-whatsapp-web-multidevice, src/pkg/error"
_DEVICES = "aldinokemal/go-whatsapp-web-multidevice, src/ui/rest/middleware/device.go"
_WHATSMEOW = "tulir/whatsmeow, errors.go"

#: The first match wins.
_ROWS = (
    AnswerRow(
        FailureClass.UNAVAILABLE,
        "device-not-found",
        _DEVICES,
        words="DEVICE_NOT_FOUND|DEVICE_ID_REQUIRED",
        advice="GOWA has no such device, or several: see the lane's option device_id and the list on GOWA's page",
    ),
    AnswerRow(
        FailureClass.UNAVAILABLE,
        "session-scan-qr",
        f"{_ERRORS}/auth_error.go; {_WHATSMEOW}: ErrNotLoggedIn",
        words=r"not log(?:ged )?in|store doesn't contain a device",
        advice="the device is logged out of WhatsApp: log in on GOWA's page, by QR code or pairing code",
    ),
    AnswerRow(
        FailureClass.UNAVAILABLE,
        "session-disconnected",
        f"{_ERRORS}/auth_error.go; {_WHATSMEOW}: ErrNotConnected",
        words=r"AUTHENTICATION_ERROR|not connect(?:ed)?\b.{0,60}(?:server|reconnect)|websocket not connected",
        advice="the device is not connected to WhatsApp: reconnect it on GOWA's page",
    ),
    AnswerRow(
        FailureClass.UNAVAILABLE,
        "session-failed",
        f"{_ERRORS}/whatsapp_error.go",
        words="INVALID_WA_CLI",
        advice="GOWA has no working client for this device: restart GOWA, and log in again if it asks",
    ),
    AnswerRow(
        FailureClass.REJECTED,
        "not-on-whatsapp",
        f"{_ERRORS}/whatsapp_error.go: ErrUserNotRegistered",
        words=r"INVALID_JID|user is not registered|not on whats ?app",
    ),
    AnswerRow(FailureClass.UNAVAILABLE, "bad-credentials", "RFC 7617", statuses=(401, 403)),
    # Asked for before anything is sent.
    AnswerRow(FailureClass.TRANSIENT, "send-failed", "tulir/whatsmeow, send.go", words="failed to get device list"),
    AnswerRow(FailureClass.REJECTED, "invalid-fields", f"{_ERRORS}/validation_error.go", words="VALIDATION_ERROR"),
    AnswerRow(FailureClass.REJECTED, "invalid-fields", f"{_ERRORS}/validation_error.go", statuses=(400, 422)),
    # whatsmeow may have handed the message on and waited in vain for WhatsApp's word (ErrMessageTimedOut).
    AnswerRow(FailureClass.UNCERTAIN, "error-while-sending", f"{_ERRORS}/generic_error.go", statuses=(408, 500)),
    *WEB_SERVER,
)


def classify(answer: Answer, private: Iterable[str] = (), now: float | None = None) -> SendResult:
    """Turn GOWA's answer to `/send/message` into a result.

    Args:
        answer: what came over HTTP; any bytes at all.
        private: texts that must not appear in the result's detail.
        now: unix seconds, to turn a date that the answer states into a wait; without it none is.
    """
    fields = json_object(answer.body)
    said = words(fields, ("code", "message"))
    if is_success(answer.status):
        if fields.get("code") == "SUCCESS":
            return Sent(identifier(inner(fields, "results").get("message_id")) or None)
        detail = quote(said, private) or f"HTTP {answer.status} without a reason"
        return Failed(FailureClass.UNCERTAIN, "unclear-answer", detail)
    if is_cold_refusal(said):
        # With status 429, which is no throttling: known contacts can be written to.
        wait = stated_wait(fields, now) if now is not None else None
        return Failed(*COLD_REFUSED, quote(said, private), wait or answer.retry_after)
    row = first_fitting(_ROWS, answer.status, said) or WEB_SERVER[-1]
    return row.failed(said, answer.status, private, answer.retry_after)
