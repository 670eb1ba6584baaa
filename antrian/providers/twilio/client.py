"""Sends through Twilio: one message per call, `POST /2010-04-01/Accounts/{account SID}/Messages.json`."""

import base64
import time

from pydantic import SecretStr

from antrian.providers.contract import Failed, Outgoing, SendResult
from antrian.providers.http import DEFAULT_TIMEOUTS, Timeouts, post_form
from antrian.providers.template import private_texts
from antrian.providers.twilio.answers import classify
from antrian.providers.twilio.payload import TwilioOptions, form_of


class TwilioProvider:
    """Sends from one WhatsApp sender of a Twilio account.

    Args:
        url: base address.
        key: the account's auth token, or the secret of an API key; leaves this object only inside a request.
        account_sid: of the account.
        options: sender, callback and template.
        api_key_sid: the API key whose secret `key` is; empty where it is the auth token.
        name: how the provider is called in the history.
        timeouts: for the send.

    Attributes:
        patience: seconds after which a send without an answer is given up; for forecasts.
    """

    def __init__(
        self,
        url: str,
        key: SecretStr,
        account_sid: str,
        options: TwilioOptions,
        *,
        api_key_sid: str = "",
        name: str = "twilio",
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.name = name
        self.patience = timeouts.read
        self._url = f"{url.rstrip('/')}/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._key = key
        self._user = api_key_sid or account_sid
        self._options = options
        self._timeouts = timeouts

    def send(self, outgoing: Outgoing) -> SendResult:
        """Make one attempt; see `Provider`."""
        now = time.time()
        form = form_of(outgoing, self._options, now)
        if isinstance(form, Failed):
            return form
        key = self._key.get_secret_value()
        login = base64.b64encode(f"{self._user}:{key}".encode("utf-8", "replace")).decode()
        answer = post_form(self._url, form, self._timeouts, {"Authorization": f"Basic {login}"})
        if isinstance(answer, Failed):
            return answer
        return classify(answer, (key, login, *private_texts(outgoing)), now)

    def echoed_id(self, _correlation_id: str) -> str:
        """Nothing: Twilio takes no name of ours."""
        return ""

    def close(self) -> None:
        """Nothing is kept between sends."""
