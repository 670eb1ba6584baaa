"""Sends through Meta's Cloud API: one message per call, `POST /{version}/{phone number id}/messages`."""

import time

from pydantic import SecretStr

from antrian.providers.contract import Failed, Outgoing, SendResult
from antrian.providers.http import DEFAULT_TIMEOUTS, Timeouts, post_json
from antrian.providers.meta_cloud.answers import classify
from antrian.providers.meta_cloud.payload import LONGEST_CORRELATION, MetaOptions, payload_of
from antrian.providers.outgoing_checks import refuse_header
from antrian.providers.template import private_texts

DEFAULT_VERSION = "v25.0"


class MetaCloudProvider:
    """Sends from one number of a WhatsApp Business Account.

    Args:
        url: base address, without the version.
        token: access token of a system user; leaves this object only inside a request.
        phone_number_id: Meta's id of the sender's number, not the number.
        options: what is sent outside the 24-hour window.
        version: of the Graph API.
        name: how the provider is called in the history.
        timeouts: for the send.

    Attributes:
        patience: seconds after which a send without an answer is given up; for forecasts.
    """

    def __init__(
        self,
        url: str,
        token: SecretStr,
        phone_number_id: str,
        options: MetaOptions,
        *,
        version: str = DEFAULT_VERSION,
        name: str = "meta_cloud",
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.name = name
        self.patience = timeouts.read
        self._url = f"{url.rstrip('/')}/{version}/{phone_number_id}/messages"
        self._token = token
        self._options = options
        self._timeouts = timeouts

    def send(self, outgoing: Outgoing) -> SendResult:
        """Make one attempt; see `Provider`."""
        now = time.time()
        payload = payload_of(outgoing, self._options, now)
        if isinstance(payload, Failed):
            return payload
        if (wrong := refuse_header(self._token)) is not None:
            return wrong
        token = self._token.get_secret_value()
        answer = post_json(self._url, payload, self._timeouts, {"Authorization": f"Bearer {token}"})
        if isinstance(answer, Failed):
            return answer
        return classify(answer, (token, *private_texts(outgoing)), now)

    def echoed_id(self, correlation_id: str) -> str:
        """Our name for an attempt, as it comes back with the receipts: unchanged."""
        return correlation_id if len(correlation_id) <= LONGEST_CORRELATION else ""

    def close(self) -> None:
        """Nothing is kept between sends."""
