"""One provider, played by the sandbox in its dialect, and everything of ours around it: the real processes.

The lane is described by the variables that a user sets, and the sandbox learns the address of its webhooks as it does
in `make run`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import requests
from admin import AdminServer, Client
from declaration import declare
from processes import ConsumerProcess, environment
from receipts_server import ReceiptsServer
from records import Records

from admin_api.auth.roles import Role
from antrian.domain.settings import Settings, load_settings
from antrian.sandbox.follow_up import ReceiptPace
from antrian.sandbox.request_log import Arrival
from antrian.sandbox.server import SandboxServer
from antrian.up.sandbox_webhooks import webhooks_of
from publisher import Publisher
from waiting import wait_until

SENDER = "6281100000000"
SECRET = "a webhook secret of the tests"

#: Seconds between two sends; between the receipts of one message; and what `throttled` and `late` take.
DELAY, RECEIPT_PACE, LONG = 0.3, 0.2, 1.0
#: Seconds that an attempt without an answer waits for its receipt.
RECEIPT_WAIT = 10


@dataclass(frozen=True)
class PlayedProvider:
    """A provider, and what can be known of its messages.

    Attributes:
        name: of the provider.
        options: of its lane.
        key: of its lane.
        sender_name: as its dialect names the sender.
        reaches: how far its receipts follow a message: a `delivery`.
        tells_failures: whether it tells that a message did not arrive.
        tells_another_try: whether it tells that another attempt may do better.
        echoes_id: whether an attempt without an answer is settled by its receipt.
        tells_session: whether it tells that its sender is not connected.
        refuses_strangers: whether it has WhatsApp's error 463.
        has_window: whether who wrote lately is sent a text, and everyone else a template.
    """

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    key: str = "a-key"
    sender_name: str = SENDER
    reaches: str = "read"
    tells_failures: bool = True
    tells_another_try: bool = True
    echoes_id: bool = False
    tells_session: bool = False
    refuses_strangers: bool = True
    has_window: bool = False

    def __str__(self) -> str:
        return self.name


class _Receipts(ReceiptsServer):
    words = ("receipts",)


class ProviderScene:
    """The processes of one lane.

    Args:
        settings: of the test's broker and namespace.
        provider: which one is played.
        sandbox: plays it.
        folder: for logs.
    """

    def __init__(self, settings: Settings, provider: PlayedProvider, sandbox: SandboxServer, folder: Path) -> None:
        self.provider = provider
        self.sandbox = sandbox
        self.ids: dict[str, str] = {}
        self.records = Records(settings)
        options = ",".join(f"{name}={value}" for name, value in provider.options.items())
        ours = {
            "WHATSAPP_PROVIDER": provider.name,
            "WHATSAPP_API_URL": f"{sandbox.url}/dialect/{provider.name}",
            "WHATSAPP_API_KEY": provider.key,
            "WHATSAPP_SENDER": SENDER,
            "WHATSAPP_PROVIDER_OPTIONS": options,
            "WHATSAPP_WEBHOOK_SECRET": SECRET,
            "WHATSAPP_QUEUE_DELAY": str(DELAY),
            "WHATSAPP_QUEUE_ON_UNCERTAIN": "dead-letter",
            "WHATSAPP_QUEUE_RECEIPT_WAIT": str(RECEIPT_WAIT),
            "OPT_OUT_LANGUAGE": "en",
        }
        self.receipts = _Receipts(settings, folder / "receipts.log", **ours)
        ours["RECEIPTS_PUBLIC_URL"] = self.receipts.url
        self.receipts._environment["RECEIPTS_PUBLIC_URL"] = self.receipts.url
        self.consumer = ConsumerProcess(settings, folder / "consumer.log", **ours)
        self.admin = AdminServer(settings, folder / "admin.log", **ours)
        self._settings = load_settings(environment(settings, **ours))
        for target in webhooks_of(self._settings.lanes, self.receipts.url):
            sandbox.reporting.set_target(target)
        self.client: Client
        self.publisher: Publisher

    @contextmanager
    def running(self) -> Iterator[Self]:
        """All processes, ready."""
        self._set_mode("ok")
        self.receipts.start()
        with self.admin, self.receipts, self.consumer, Publisher(self._settings, source="shop") as publisher:
            self.publisher = publisher
            self.admin.ready()
            self.client = self.admin.client(Role.ADMIN, "ani")
            wait_until(lambda: self.receipts.status_of("readyz") == 200, 60, "the receipts server is ready")
            yield self

    def send(self, name: str, number: str, **about: Any) -> str:
        """Publish a message, and remember its id by a name of the test's."""
        self.ids[name] = self.publisher.queue_message(number, f"Pesan {name}", **about).message_id
        return self.ids[name]

    def ask_sandbox(self, page: str, body: Mapping[str, Any]) -> Any:
        """One of the sandbox's own pages."""
        answer = requests.post(f"{self.sandbox.url}/_sandbox/{page}", json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def writes(self, number: str, text: str) -> None:
        """A person writes to the sender, and the receipts server takes it."""
        whose = {"provider": self.provider.name, "sender": self.provider.sender_name}
        body = {"number": number, "text": text} | whose
        assert self.ask_sandbox("inbound", body)["forwarded"]

    def connection_is(self, state: str) -> None:
        """The provider tells how its sender is connected."""
        whose = {"provider": self.provider.name, "sender": self.provider.sender_name}
        assert self.ask_sandbox("session", {"state": state} | whose)["forwarded"]

    def reports(self, name: str, status: str) -> None:
        """The provider sends one more receipt of a message."""
        sent = self.message(name)["provider_id"]
        [arrival] = [one for one in self.arrivals() if one.provider_id.endswith(sent)]
        assert self.ask_sandbox("receipt", {"id": arrival.provider_id, "status": status})["forwarded"]

    def refuse_strangers(self) -> None:
        self._set_mode("cold-refused")

    def refuse_nobody(self) -> None:
        self._set_mode("ok")

    def message(self, name: str) -> Any:
        return self.client.get(f"/messages/{self.ids[name]}")

    def life(self, name: str, event: str) -> list[Any]:
        """What happened of one kind to a message."""
        return [entry for entry in self.message(name)["life"] if entry["name"] == event]

    def search(self, state: str) -> set[str]:
        """Ids of the messages in a state."""
        return {one["message_id"] for one in self.client.get("/messages", state=state, limit=100)["items"]}

    def ends(self, *names: str) -> dict[str, tuple[str, str | None]]:
        """State and delivery of each message, as a search tells them."""
        items = {one["message_id"]: one for one in self.client.get("/messages", limit=100)["items"]}
        found = {name: items.get(self.ids[name], {}) for name in names or self.ids}
        return {name: (one.get("state", ""), one.get("delivery")) for name, one in found.items()}

    def wait_for_ends(self, expected: Mapping[str, tuple[str, str | None]]) -> None:
        """Wait until the messages of these names are where they should be."""
        unlike: list[dict[str, Any]] = [{}]

        def are_there() -> bool:
            found = self.ends(*expected)
            unlike[0] = {name: (found[name], end) for name, end in expected.items() if found[name] != end}
            return not unlike[0]

        try:
            wait_until(are_there, 20, "every message is where it should be", every=0.2)
        except AssertionError as error:
            raise AssertionError(f"(is, should be): {unlike[0]}") from error

    def arrivals(self, number: str = "") -> list[Arrival]:
        """What reached the provider for a number, or at all."""
        digits = number.removeprefix("+")
        return [one for one in self.sandbox.record.arrivals() if not digits or one.submission.digits == digits]

    def gaps(self) -> list[float]:
        """Seconds between the arrivals."""
        return [later.at - earlier.at for earlier, later in pairwise(self.arrivals())]

    def standing(self, number: str) -> str:
        """Whether a person is known to the sender."""
        return next((str(one["standing"]) for one in self.client.get(f"/contacts/{number}")["senders"]), "")

    def _set_mode(self, mode: str) -> None:
        self.ask_sandbox("mode", {"mode": mode, "seconds": LONG})


@contextmanager
def playing(settings: Settings, provider: PlayedProvider, folder: Path) -> Iterator[ProviderScene]:
    """A provider and the processes of its lane, on a namespace of the test's own."""
    declare(settings)
    with SandboxServer(pace=ReceiptPace(RECEIPT_PACE, RECEIPT_PACE, RECEIPT_PACE)) as sandbox:
        scene = ProviderScene(settings, provider, sandbox, folder)
        with scene.running():
            yield scene
