"""GOWA: one receiver per call, `POST /send/message`."""

import time

from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Outgoing, SendResult
from antrian.providers.gowa.answers import classify
from antrian.providers.gowa.payload import headers, private_parts, send_message
from antrian.providers.http import DEFAULT_TIMEOUTS, Timeouts, post_json
from antrian.providers.outgoing_checks import refuse, refuse_header


class GowaProvider:
    """Sends through a device of a GOWA server.

    Args:
        url: the server's base address, without `/send`.
        key: `user:password` of the server; leaves this object only inside a request.
        device_id: the device's name at the server; empty where it has only one.
        timeouts: for the send.

    Attributes:
        name: as the history shows it.
        patience: seconds after which a send without an answer is given up.
    """

    name = "gowa"

    def __init__(self, url: str, key: SecretStr, device_id: str = "", *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> None:
        self.patience = timeouts.read
        self._url = url.rstrip("/")
        self._key = key
        self._device_id = device_id
        self._timeouts = timeouts

    def send(self, outgoing: Outgoing) -> SendResult:
        """Make one attempt; see `Provider`."""
        if (refusal := refuse(outgoing) or self._refuse_headers()) is not None:
            return refusal
        sender = headers(self._key, self._device_id)
        answer = post_json(f"{self._url}/send/message", send_message(outgoing), self._timeouts, sender)
        if isinstance(answer, Failed):
            return answer
        private = (*private_parts(self._key), outgoing.text, outgoing.recipient.removeprefix("+"))
        return classify(answer, private, time.time())

    def echoed_id(self, _correlation_id: str) -> str:
        """Nothing: GOWA chooses the ids; see `Provider`."""
        return ""

    def close(self) -> None:
        """Nothing is kept between sends."""

    def _refuse_headers(self) -> Failed | None:
        if ":" not in self._key.get_secret_value():
            return Failed(FailureClass.UNAVAILABLE, "bad-credentials", "the key of GOWA is written user:password")
        return refuse_header(self._device_id) if self._device_id else None
