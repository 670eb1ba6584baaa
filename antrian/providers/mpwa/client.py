"""MPWA, the WhatsApp gateway whose contract the replaced system spoke: one receiver per call, `POST /send-message`."""

import re
import time

from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Outgoing, SendResult
from antrian.providers.http import DEFAULT_TIMEOUTS, Answer, Timeouts, post_json
from antrian.providers.mpwa.answers import DOUBTFUL, classify, is_connected, reconsider

#: What MPWA's panel or its node process would replace: `{a|b}` by one of the two, the others by what they name.
_SPINTAX = re.compile(r"\{[^{}|]*\|[^{}]*\}|\{(?:number|random_text|random_num)\}", re.IGNORECASE)

_ONE_NUMBER = re.compile(r"\+[0-9]{6,15}")

_CHECK_TIMEOUTS = Timeouts(connect=5, read=10, body=10)


class MpwaProvider:
    """Sends through an MPWA panel.

    Args:
        url: the panel's base address, without `/send-message`.
        api_key: the panel user's key; leaves this object only inside a request.
        sender: the device's number, digits only.
        name: how the provider is called in the history.
        timeouts: for the send itself.
        names_itself: whether a send carries our id of the attempt, as `correlation_id`; no panel knows that field.

    Attributes:
        patience: seconds after which a send without an answer is given up; for forecasts.
    """

    def __init__(
        self,
        url: str,
        api_key: SecretStr,
        sender: str,
        *,
        name: str = "mpwa",
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        names_itself: bool = False,
    ) -> None:
        self.name = name
        self.patience = timeouts.read
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._sender = sender
        self._timeouts = timeouts
        self._names_itself = names_itself

    def send(self, outgoing: Outgoing) -> SendResult:
        """Make one attempt; see `Provider`."""
        if (refusal := refuse(outgoing)) is not None:
            return refusal
        number = outgoing.recipient.removeprefix("+")
        named = {"correlation_id": outgoing.correlation_id} if self._names_itself and outgoing.correlation_id else {}
        # With full=1 the answer carries WhatsApp's own id of the message.
        answer = self._post("/send-message", self._timeouts, number=number, message=outgoing.text, full=1, **named)
        if isinstance(answer, Failed):
            return answer
        private = (self._api_key.get_secret_value(), outgoing.text, number, self._sender)
        result = classify(answer, private, time.time())
        if isinstance(result, Failed) and result.code in DOUBTFUL:
            return reconsider(result, connected=self._is_sender_connected())
        return result

    def close(self) -> None:
        """Nothing is kept between sends."""

    def _is_sender_connected(self) -> bool | None:
        answer = self._post("/check-number", _CHECK_TIMEOUTS, number=self._sender)
        return None if isinstance(answer, Failed) else is_connected(answer)

    def _post(self, path: str, timeouts: Timeouts, **fields: object) -> Answer | Failed:
        identity = {"api_key": self._api_key.get_secret_value(), "sender": self._sender}
        return post_json(self._url + path, identity | fields, timeouts)


def refuse(outgoing: Outgoing) -> Failed | None:
    """Say why MPWA must not be given this message, or None if it may."""
    if not _ONE_NUMBER.fullmatch(outgoing.recipient):
        return Failed(FailureClass.REJECTED, "bad-recipient", "the recipient is not one number in E.164")
    if _SPINTAX.search(outgoing.text):
        return Failed(
            FailureClass.REJECTED,
            "spintax",
            "the text contains {…|…} or {number}, which MPWA would replace: write it without braces",
        )
    if not _is_unicode(outgoing.text):
        # A panel that cannot decode the request finds no key in it, and blames the credentials.
        return Failed(FailureClass.REJECTED, "not-unicode", "the text contains half of a surrogate pair")
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
