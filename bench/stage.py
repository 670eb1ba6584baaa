"""Where the benchmarks happen: a broker node of their own in a temporary folder, and the processes on it."""

import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.node.private_node import PrivateNode
from antrian.broker.topology import topology
from antrian.domain.settings import Settings, load_settings
from bench.child import CHECKOUT, Child

#: What child processes inherit; nothing of ours, so that the user's own settings do not change a measurement.
_INHERITED = frozenset({"PATH", "HOME", "LANG", "USER", "TMPDIR", "VIRTUAL_ENV"})


class Stage:
    """A running broker node, with lanes and processes on request.

    Args:
        url: the node's address.
        node: the node itself.
        folder: for logs.
        say: takes a sentence about what is being measured now.
    """

    def __init__(self, url: str, node: PrivateNode, folder: Path, say: Callable[[str], None]) -> None:
        self.url = url
        self.node = node
        self.version = node.status().version or "?"
        self.say = say
        self._folder = folder
        self._numbers = count(1)

    def lane(self, **variables: str) -> Settings:
        """Settings of a namespace that nobody else uses, whose queues exist."""
        name = f"bench{next(self._numbers)}"
        settings = load_settings({"AMQP_URL": self.url, "WHATSAPP_QUEUE_NAMESPACE": name, **variables})
        with open_channel((self.url,), name="antrian bench") as channel:
            topology_sync.apply(channel.connection, topology(settings))
        return settings

    def remove(self, lanes: Settings) -> None:
        """Delete what `lane` made: thousands of idle queues would slow down what is measured next."""
        whole = topology(lanes)
        with open_channel((self.url,), name="antrian bench") as channel:
            for queue in whole.queues:
                channel.queue_delete(queue.name)
            for exchange in whole.exchanges:
                channel.exchange_delete(exchange.name)

    def queue(self) -> str:
        """A durable queue with priorities, for a peer that has none of its own."""
        name = f"peer{next(self._numbers)}"
        with open_channel((self.url,), name="antrian bench") as channel:
            channel.queue_declare(name, durable=True, arguments={"x-max-priority": 10})
        return name

    def purge(self, queue: str) -> None:
        """Empty a queue."""
        with open_channel((self.url,), name="antrian bench") as channel:
            channel.queue_purge(queue)

    def child(self, *arguments: str, checkout: Path = CHECKOUT, **variables: str) -> Child:
        """A Python process that is not started yet; see `bench.child`."""
        log = self._folder / f"{next(self._numbers)}.log"
        inherited = {name: value for name, value in os.environ.items() if name in _INHERITED}
        return Child(arguments, log, inherited | variables, checkout)

    def consumer(self, lane: Settings, api: str, *, checkout: Path = CHECKOUT, **variables: str) -> Child:
        """`antrian consume` for a lane, with the sandbox at `api` as its provider; not started yet."""
        return self.child(
            "-m",
            "antrian",
            "consume",
            checkout=checkout,
            AMQP_URL=self.url,
            WHATSAPP_API_URL=api,
            WHATSAPP_PROVIDER="sandbox",
            WHATSAPP_QUEUE_NAMESPACE=lane.whatsapp_queue_namespace,
            WHATSAPP_QUEUE_DELAY=str(lane.whatsapp_queue_delay),
            CONSUMER_METRICS_PORT="0",
            **variables,
        )


@contextmanager
def open_stage(say: Callable[[str], None]) -> Iterator[Stage]:
    """Start a node, and stop it at the end, whatever happens.

    Raises:
        NoBroker: it could not be started; the text says why.
    """
    # The node and all that runs beside it inherit this; many lanes need many sockets.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # A node writes until its last moment; what it leaves after its stop is of no interest.
    with tempfile.TemporaryDirectory(prefix="antrian-bench-", ignore_cleanup_errors=True) as home:
        node = PrivateNode(Path(home), say=say)
        try:
            say("starting a broker")
            url = node.start(tied_to_parent=True)
            yield Stage(url, node, Path(home), say)
        finally:
            say("stopping the broker")
            node.stop()
