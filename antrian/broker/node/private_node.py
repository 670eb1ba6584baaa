"""A RabbitMQ node of our own: own name, own ports, own data, on loopback, beside whatever the machine runs.

Everything lies in `<home>/broker`, and the processes are found again by that folder's name in their environment.
So nothing depends on a pid file being right, and a node survives the process that started it.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from antrian.broker.node import processes
from antrian.broker.node.failure import disk_is_too_full, path_is_unusable, why_it_ended
from antrian.broker.node.files import Identity, private_node_files
from antrian.broker.node.ports import free_ports, is_free
from antrian.broker.node.program import HOW_TO_INSTALL, epmd, rabbitmq_server
from antrian.domain.errors import NoBroker

#: Longest wait for a node to accept AMQP, in seconds; 5 to 8 are usual on two cores.
_START_PATIENCE = 90.0
#: How long a node that runs may take to stop before it is killed; 1 s is usual (seconds).
_STOP_PATIENCE = 20.0
#: The same for one that answers nobody: during its start a node may not heed SIGTERM, and it has nothing to lose.
_FAILED_PATIENCE = 4.0


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What a private node is doing.

    Attributes:
        running: whether it answers AMQP under its own name.
        url: its AMQP address, password included; None if it has never been started.
        version: RabbitMQ's version, such as `3.10.8`; None when it does not run.
        pid: the server's process id; None when it does not run or belongs to another user.
        tied_to: the process id with which the node will end; None if it outlives its starter.
        folder: where its data is.
    """

    running: bool
    url: str | None = field(repr=False)
    version: str | None
    pid: int | None
    tied_to: int | None
    folder: Path


def _silent(_: str) -> None:
    pass


class PrivateNode:
    """The private node of one home folder; any number of these objects, in any processes, may speak of one node.

    Args:
        home: Antrian's folder (`settings.antrian_home`); the node lives in its sub-folder `broker`.
        say: takes a sentence for people when something is not as it was, such as a new port.
    """

    def __init__(self, home: Path, *, say: Callable[[str], None] = _silent) -> None:
        self._files = private_node_files(home)
        self._say = say
        #: Whether the last `start` found the node running, and so started nothing.
        self.adopted = False

    @property
    def url(self) -> str:
        """The node's AMQP address, password included, whether or not it runs.

        Raises:
            NoBroker: it has never been started, or its folder cannot be read.
        """
        with self._explained():
            identity = self._files.identity()
        if identity is None:
            raise NoBroker(f"no private broker has been started in {self._files.folder}")
        return identity.url

    def status(self) -> NodeStatus:
        """Look at the node, without changing or waiting for anything.

        Raises:
            NoBroker: its folder cannot be read or is damaged.
        """
        with self._explained():
            identity = self._files.identity()
        greeting = identity.greeting() if identity else None
        server = processes.main_process(processes.processes_of(self._files.folder))
        return NodeStatus(
            running=greeting is not None,
            url=identity.url if identity else None,
            version=greeting.version if greeting else None,
            pid=server.pid if server else None,
            tied_to=processes.tied_to(server) if server else None,
            folder=self._files.folder,
        )

    def start(self, *, tied_to_parent: bool) -> str:
        """Start the node and wait until it accepts AMQP; a healthy one that runs already is left as it is.

        Args:
            tied_to_parent: let the node end when the calling *thread* ends, even by `kill -9` (Linux; elsewhere the
                next start takes the orphan down). Call from a thread that lives as long as the node is needed.

        Returns:
            The AMQP address, password included.

        Raises:
            NoBroker: the text says why, and what to do.
        """
        if problem := path_is_unusable(self._files.folder):
            raise NoBroker(problem)
        with self._explained():
            self._files.create()
            with self._files.locked():
                running = self._adopt()
                self.adopted = running is not None
                return running or self._start(os.getpid() if tied_to_parent else None)

    def stop(self) -> bool:
        """Stop the node, its port mapper included, and wait until no process of it is left.

        Returns:
            Whether there was anything to stop.

        Raises:
            NoBroker: its folder cannot be used.
        """
        with self._explained():
            if not self._files.folder.is_dir():
                return False
            with self._files.locked():
                ours = processes.processes_of(self._files.folder)
                processes.end(ours, patience=_STOP_PATIENCE)
                return bool(ours)

    def _adopt(self) -> str | None:
        ours = processes.processes_of(self._files.folder)
        server = processes.main_process(ours)
        identity = self._files.identity()
        if server and identity and identity.greeting() and not processes.has_lost_its_parent(server):
            return identity.url
        processes.end(ours, patience=_FAILED_PATIENCE)
        return None

    def _start(self, tied_to: int | None) -> str:
        if problem := disk_is_too_full(self._files.folder):
            raise NoBroker(problem)
        identity = self._with_free_ports(self._files.identity() or Identity.new())
        self._files.remember(identity)
        self._files.configure(identity)
        try:
            server = self._launch(identity, tied_to)
            self._wait_until_it_answers(server, identity)
        except BaseException:  # Ctrl-C included: nothing half started stays behind
            processes.end(processes.processes_of(self._files.folder), patience=_FAILED_PATIENCE)
            raise
        return identity.url

    def _with_free_ports(self, identity: Identity) -> Identity:
        taken = [port for port in identity.ports if not is_free(port)]
        if not taken:
            return identity
        amqp_port, dist_port, epmd_port = free_ports(3)
        self._say(f"port {taken[0]} is taken by another program: the private broker moves to port {amqp_port}")
        return replace(identity, amqp_port=amqp_port, dist_port=dist_port, epmd_port=epmd_port)

    def _launch(self, identity: Identity, tied_to: int | None) -> psutil.Process:
        server, mapper = rabbitmq_server(), epmd()
        if server is None or mapper is None:
            raise NoBroker(f"there is no rabbitmq-server on this machine: {HOW_TO_INSTALL}, or set AMQP_URL")
        environment = self._files.environment(identity, tied_to=tied_to, path=os.environ.get("PATH", ""))
        with self._files.console.open("wb") as console:
            # Left to itself the node would start a port mapper that listens on every interface and outlives it.
            for command in ([mapper, "-port", str(identity.epmd_port), "-address", "127.0.0.1"], [server]):
                process = processes.spawn(
                    [str(part) for part in command],
                    environment=environment,
                    folder=self._files.folder,
                    output=console,
                    tied=tied_to is not None,
                )
        return process

    def _wait_until_it_answers(self, server: psutil.Process, identity: Identity) -> None:
        deadline = time.monotonic() + _START_PATIENCE
        while not identity.greeting():
            if processes.has_ended(server):
                raise NoBroker(why_it_ended(self._files))
            if time.monotonic() > deadline:
                raise NoBroker(
                    f"the private broker did not answer within {_START_PATIENCE:.0f} s (see {self._files.console})"
                )
            time.sleep(0.05)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NoBroker(
                f"the private broker's folder {self._files.folder} cannot be used: {error.strerror or error}"
            ) from error
        except psutil.AccessDenied as error:
            raise NoBroker(f"the private broker in {self._files.folder} belongs to another user") from error
