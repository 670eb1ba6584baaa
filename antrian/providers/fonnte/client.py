"""Fonnte: one receiver per call, `POST /send` as a form."""

import time

from pydantic import SecretStr

from antrian.providers import outgoing_checks
from antrian.providers.contract import Failed, Outgoing, SendResult
from antrian.providers.fonnte.answers import classify
from antrian.providers.fonnte.payload import form_of, refuse
from antrian.providers.http import DEFAULT_TIMEOUTS, Timeouts, post_form

#: Fonnte's own address.
DEFAULT_URL = "https://api.fonnte.com"


class FonnteProvider:
    """Sends through a device at Fonnte.

    Args:
        token: of the device; leaves this object only inside a request.
        url: another base address, without `/send`.
        timeouts: for the send.

    Attributes:
        name: as the history shows it.
        patience: seconds after which a send without an answer is given up.
    """

    name = "fonnte"

    def __init__(self, token: SecretStr, url: str = DEFAULT_URL, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> None:
        self.patience = timeouts.read
        self._url = url.rstrip("/")
        self._token = token
        self._timeouts = timeouts

    def send(self, outgoing: Outgoing) -> SendResult:
        """Make one attempt; see `Provider`."""
        refusal = outgoing_checks.refuse(outgoing) or refuse(outgoing) or outgoing_checks.refuse_header(self._token)
        if refusal is not None:
            return refusal
        token = self._token.get_secret_value()
        # JSON is answered with "invalid/empty body value", and a token behind `Bearer` with "token invalid".
        answer = post_form(f"{self._url}/send", form_of(outgoing), self._timeouts, {"Authorization": token})
        if isinstance(answer, Failed):
            return answer
        private = (token, outgoing.text, outgoing.recipient.removeprefix("+"))
        return classify(answer, private, time.time())

    def echoed_id(self, _correlation_id: str) -> str:
        """Nothing: Fonnte takes no name of ours; see `Provider`."""
        return ""

    def close(self) -> None:
        """Nothing is kept between sends."""
