"""WAHA: one receiver per call, `POST /api/sendText`."""

import time

from pydantic import SecretStr

from antrian.providers.contract import Failed, Outgoing, SendResult
from antrian.providers.http import DEFAULT_TIMEOUTS, Timeouts, post_json
from antrian.providers.outgoing_checks import refuse, refuse_header
from antrian.providers.waha.answers import classify
from antrian.providers.waha.payload import DEFAULT_SESSION, send_text, sent_id


class WahaProvider:
    """Sends through a session of a WAHA server.

    Args:
        url: the server's base address, without `/api`.
        api_key: leaves this object only inside a request.
        session: the session's name.
        timeouts: for the send.

    Attributes:
        name: as the history shows it.
        patience: seconds after which a send without an answer is given up.
    """

    name = "waha"

    def __init__(
        self,
        url: str,
        api_key: SecretStr,
        session: str = DEFAULT_SESSION,
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.patience = timeouts.read
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._session = session or DEFAULT_SESSION
        self._timeouts = timeouts

    def send(self, outgoing: Outgoing) -> SendResult:
        """Make one attempt; see `Provider`."""
        if (refusal := refuse(outgoing) or refuse_header(self._api_key)) is not None:
            return refusal
        key = self._api_key.get_secret_value()
        payload = send_text(self._session, outgoing)
        answer = post_json(f"{self._url}/api/sendText", payload, self._timeouts, {"X-Api-Key": key})
        if isinstance(answer, Failed):
            return answer
        private = (key, outgoing.text, outgoing.recipient.removeprefix("+"))
        return classify(answer, private, time.time())

    def echoed_id(self, correlation_id: str) -> str:
        """WhatsApp's id, which WAHA takes from us; see `Provider`."""
        return sent_id(correlation_id)

    def close(self) -> None:
        """Nothing is kept between sends."""
