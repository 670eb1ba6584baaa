"""MPWA, the WhatsApp gateway whose contract the replaced system spoke: one receiver per call, `POST /send-message`."""

import time

from pydantic import SecretStr

from antrian.providers.contract import Failed, Outgoing, SendResult
from antrian.providers.http import DEFAULT_TIMEOUTS, Answer, Timeouts, post_json
from antrian.providers.mpwa.answers import DOUBTFUL, classify, is_connected, reconsider
from antrian.providers.mpwa.payload import message_fields, refuse

_CHECK_TIMEOUTS = Timeouts(connect=5, read=10, body=10)


class MpwaProvider:
    """Sends through an MPWA panel.

    Args:
        url: the panel's base address, without `/send-message`.
        api_key: the panel user's key; leaves this object only inside a request.
        sender: the device's number, digits only.
        name: how the provider is called in the history.
        echoes_id: whether receipts bear our name for an attempt: those of the sandbox do, those of MPWA do not.
        timeouts: for the send itself.

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
        echoes_id: bool = False,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.name = name
        self.patience = timeouts.read
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._sender = sender
        self._echoes_id = echoes_id
        self._timeouts = timeouts

    def send(self, outgoing: Outgoing) -> SendResult:
        """Make one attempt; see `Provider`."""
        if (refusal := refuse(outgoing)) is not None:
            return refusal
        number = outgoing.recipient.removeprefix("+")
        fields = message_fields(outgoing, self.echoed_id(outgoing.correlation_id))
        answer = self._post("/send-message", self._timeouts, **fields)
        if isinstance(answer, Failed):
            return answer
        private = (self._api_key.get_secret_value(), outgoing.text, number, self._sender)
        result = classify(answer, private, time.time())
        if isinstance(result, Failed) and result.code in DOUBTFUL:
            return reconsider(result, connected=self._is_sender_connected())
        return result

    def echoed_id(self, correlation_id: str) -> str:
        """See `Provider`."""
        return correlation_id if self._echoes_id else ""

    def close(self) -> None:
        """Nothing is kept between sends."""

    def _is_sender_connected(self) -> bool | None:
        answer = self._post("/check-number", _CHECK_TIMEOUTS, number=self._sender)
        return None if isinstance(answer, Failed) else is_connected(answer)

    def _post(self, path: str, timeouts: Timeouts, **fields: object) -> Answer | Failed:
        identity = {"api_key": self._api_key.get_secret_value(), "sender": self._sender}
        return post_json(self._url + path, identity | fields, timeouts)
