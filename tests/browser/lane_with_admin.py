"""A lane with its provider and its admin side, and a consumer on demand."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from admin import AdminServer
from cleanup import sweep
from declaration import declare
from demo_lane import Scene
from processes import ConsumerProcess

from antrian.domain.settings import Settings, load_settings
from antrian.sandbox.server import SandboxServer
from publisher import Publisher


class Stage:
    """What runs behind the pages of one test, or of several that change nothing."""

    def __init__(self, settings: Settings, folder: Path, running: ExitStack) -> None:
        self.settings = settings
        self._folder = folder
        self._running = running
        self.admin = running.enter_context(AdminServer(settings, folder / "admin.log")).ready()

    def start_consumer(self, **more: str) -> ConsumerProcess:
        """Start the consumer, with other settings if need be."""
        return self._running.enter_context(ConsumerProcess(self.settings, self._folder / "consumer.log", **more))

    def play(self) -> Scene:
        """A lane with a bit of everything; paused, so that it stays as it is."""
        with Publisher(self.settings, source="registration", confirm_timeout=60) as publisher:
            return Scene(self.admin, publisher).play(lambda: self.start_consumer(WHATSAPP_QUEUE_DELAY="0"))


@contextmanager
def open_stage(settings: Settings, folder: Path) -> Iterator[Stage]:
    """A stage; its lane sends slowly enough to be watched."""
    with ExitStack() as running:
        sandbox = running.enter_context(SandboxServer())
        ours = settings.model_copy(update={"whatsapp_api_url": sandbox.url, "whatsapp_queue_delay": 1.0})
        declare(ours)
        yield Stage(ours, folder, running)


@contextmanager
def open_shared_stage(broker_url: str, folder: Path) -> Iterator[Stage]:
    """A stage in a namespace of its own, for all tests of a module; swept at the end."""
    settings = load_settings(
        {
            "AMQP_URL": broker_url,
            "ANTRIAN_HOME": str(folder / "home"),
            "WHATSAPP_QUEUE_NAMESPACE": f"t{secrets.token_hex(4)}",
        }
    )
    with open_stage(settings, folder) as opened:
        yield opened
    sweep(settings)
