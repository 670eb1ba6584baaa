"""What a private node keeps in its folder, and the environment that holds it there."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from antrian.broker.node.greeting import Greeting, greet
from antrian.broker.node.ports import free_ports
from antrian.domain.errors import NoBroker

#: Below this much free disk the broker stops taking messages, and a start is refused (bytes).
LEAST_DISK = 200 * 10**6

#: Marks each process of the node with its folder; processes are told apart by this and never by their name.
FOLDER_MARK = "ANTRIAN_NODE_FOLDER"
#: The process id with which the node ends; empty when it outlives its starter.
TIED_MARK = "ANTRIAN_NODE_TIED_TO"

_CONFIG = """\
# Written by Antrian at each start; changes here do not last.
listeners.tcp.1 = 127.0.0.1:{amqp_port}
default_user = antrian
default_pass = {password}
default_user_tags.administrator = true
disk_free_limit.absolute = {least_disk}
vm_memory_high_watermark.relative = 0.4
log.file.level = info
log.file.rotation.size = 10485760
log.file.rotation.count = 3
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the node is, chosen once: RabbitMQ files its data under the name and knows only this password."""

    name: str
    password: str = field(repr=False)
    amqp_port: int
    dist_port: int
    epmd_port: int

    @classmethod
    def new(cls) -> "Identity":
        """A new name and password, and ports that are free now."""
        amqp_port, dist_port, epmd_port = free_ports(3)
        return cls(f"antrian-{secrets.token_hex(4)}", secrets.token_hex(16), amqp_port, dist_port, epmd_port)

    @property
    def ports(self) -> tuple[int, int, int]:
        """The ports for AMQP, Erlang's distribution and Erlang's port mapper."""
        return self.amqp_port, self.dist_port, self.epmd_port

    def greeting(self) -> Greeting | None:
        """What the node says of itself over AMQP; None when it does not answer, or another program does."""
        return greet(self.amqp_port, node=self.name)

    @property
    def url(self) -> str:
        """The AMQP address, password included."""
        return f"amqp://antrian:{self.password}@127.0.0.1:{self.amqp_port}/%2F"


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """The paths inside one private node's folder."""

    folder: Path

    @property
    def data(self) -> Path:
        """The messages."""
        return self.folder / "data"

    @property
    def console(self) -> Path:
        """What the node printed since its last start."""
        return self.folder / "log" / "console.log"

    @property
    def _identity(self) -> Path:
        return self.folder / "node.json"

    def create(self) -> None:
        """Make the folder, readable by its owner alone: it holds messages and a password."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("data", "log", "conf.d"):
            (self.folder / name).mkdir(exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait until no other process is starting or stopping the node, and keep others waiting meanwhile.

        Raises:
            OSError: the folder cannot be written to.
        """
        # The system drops the lock when its holder dies, so it can never be left behind.
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def identity(self) -> Identity | None:
        """Read who the node is; None if it has never been started.

        Raises:
            NoBroker: there are messages, and the file that says whose they are is missing or damaged.
            OSError: the folder cannot be read.
        """
        try:
            return Identity(**json.loads(self._identity.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise NoBroker(f"{self._identity} is damaged: put it back, or remove {self.folder}") from error
        except FileNotFoundError:
            if self.data.is_dir() and any(self.data.iterdir()):
                raise NoBroker(f"{self._identity} is missing: put it back, or remove {self.folder}") from None
            return None

    def remember(self, identity: Identity) -> None:
        """Keep who the node is.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._write_private(self._identity, json.dumps(asdict(identity), indent=1))

    def configure(self, identity: Identity) -> None:
        """Write the configuration that RabbitMQ reads.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._write_private(
            self.folder / "rabbitmq.conf",
            _CONFIG.format(amqp_port=identity.amqp_port, password=identity.password, least_disk=LEAST_DISK),
        )
        self._write_private(self.folder / "enabled_plugins", "[].\n")
        # Erlang's own attempt on a full disk leaves an empty one, with which no later start succeeds.
        self._write_private(self.folder / ".erlang.cookie", secrets.token_hex(16))

    def _write_private(self, path: Path, text: str) -> None:
        # Whole or not at all: a half-written identity would cost the messages.
        draft = path.with_name(path.name + ".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def environment(self, identity: Identity, *, tied_to: int | None, path: str) -> Mapping[str, str]:
        """Everything that the node and its port mapper see of the surroundings: nothing of the machine's own RabbitMQ.

        Args:
            identity: who the node is.
            tied_to: the process id with which the node is to end, if any.
            path: where to look for programs.
        """
        files = {
            "HOME": "",  # Erlang looks for its cookie here
            "RABBITMQ_PID_FILE": "node.pid",
            "RABBITMQ_MNESIA_BASE": "data",
            "RABBITMQ_GENERATED_CONFIG_DIR": "data/config",
            "RABBITMQ_LOG_BASE": "log",
            "ERL_CRASH_DUMP": "log/erl_crash.dump",
            "RABBITMQ_CONFIG_FILE": "rabbitmq.conf",
            "RABBITMQ_CONFIG_FILES": "conf.d",
            "RABBITMQ_ADVANCED_CONFIG_FILE": "advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": "enabled_plugins",
            "RABBITMQ_CONF_ENV_FILE": "rabbitmq-env.conf",
        }
        return {variable: str(self.folder / name) for variable, name in files.items()} | {
            FOLDER_MARK: str(self.folder),
            TIED_MARK: str(tied_to or ""),
            "ERL_CRASH_DUMP_BYTES": "1000000",
            "PATH": f"{path}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",  # without it Erlang misreads a folder's name that is not ASCII
            # An address needs no name resolution, which a machine may lack even for localhost.
            "RABBITMQ_NODENAME": f"{identity.name}@127.0.0.1",
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_NODE_PORT": str(identity.amqp_port),
            "RABBITMQ_DIST_PORT": str(identity.dist_port),
            "ERL_EPMD_PORT": str(identity.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # The script becomes the server instead of guarding it: one process, whose id we know and can signal.
            "RUNNING_UNDER_SYSTEMD": "true",
        }


def private_node_files(home: Path) -> NodeFiles:
    """The files of the private node of `home` (Antrian's folder)."""
    return NodeFiles(home.resolve() / "broker")


def container_files(home: Path) -> NodeFiles:
    """The files about the container of `home` (Antrian's folder); its messages are in a Docker volume."""
    return NodeFiles(home.resolve() / "container")
