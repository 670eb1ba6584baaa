"""The topology and its four users as RabbitMQ imports them, each with the rights that its work needs and no others.

    publisher   puts messages into the queue, rings the bell for urgent ones, waits for what becomes of one message
    consumer    takes messages from the lanes, records what happens, puts retries and dead letters back
    admin       looks, pauses, clears, re-drives, publishes, works on what providers report
    receipts    writes down what providers report; it faces the internet, and can do nothing else

None of them may make, change or delete an exchange or a queue of the topology, nor publish past an exchange into a
queue. `antrian topology apply` needs a user with more rights; importing the definitions needs none at all.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from antrian.broker.topology import DEAD_CALLBACKS, DELAYED_CALLBACKS, DELAYED_RECEIPTS, Binding, Names, Topology
from antrian.domain.delay_ladder import LADDER_LEVELS

#: Queues that the broker names itself: each belongs to one connection, and goes with it.
_OWN = r"amq\.gen-.*"
_NOTHING = "^$"
#: A word of a routing key that is neither a pattern nor empty.
_WORD = r"[^.*#]+"
_BITS = rf"([01]\.){{{LADDER_LEVELS}}}"

_SALT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Rights:
    """What one user may do; regular expressions over names of exchanges and queues, as RabbitMQ has them.

    Attributes:
        configure: what it may declare and delete.
        write: what it may publish to, or bind.
        read: what it may consume, purge, or bind to.
        topics: by topic exchange, the routing keys that it may publish with, and those that it may bind with.
    """

    configure: str
    write: str
    read: str
    topics: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def publisher_rights(names: Names, lanes: tuple[str, ...]) -> Rights:
    """What a service that publishes needs."""
    return Rights(
        configure=_one_of(_OWN),
        write=_one_of(_OWN, *map(re.escape, (names.messages, names.scheduled, names.urgent))),
        read=_one_of(_OWN, re.escape(names.events)),
        topics={
            names.scheduled: (f"^{_BITS}({_lanes(lanes)})$", _NOTHING),
            # The outcome of a message whose id it knows, and not those of all others.
            names.events: (_NOTHING, rf"^outcome\.\*\.{_WORD}\.[^*#]+$"),
        },
    )


def consumer_rights(names: Names, lanes: tuple[str, ...]) -> Rights:
    """What the paced sender needs."""
    ladder = _ladder(names)
    queues = [re.escape(name) for lane in lanes for name in (names.lane(lane), names.state(lane))]
    return Rights(
        configure=_one_of(_OWN),
        write=_one_of(_OWN, ladder, *map(re.escape, (names.events, names.dead))),
        read=_one_of(_OWN, *queues, *map(re.escape, (names.outcomes, names.contacts, names.control))),
        # Newer brokers ask for the second routing key of an event, too: `contact.…`.
        topics={names.events: (r"^(outcome|lanes|contact)\.", _NOTHING), names.dead: (f"^({_lanes(lanes)})$", _NOTHING)}
        | {names.delay(level): (f"^{_BITS}({_lanes(lanes)})$", _NOTHING) for level in range(LADDER_LEVELS)},
    )


def admin_rights(names: Names, lanes: tuple[str, ...]) -> Rights:
    """What the admin side and the command line need."""
    lock = re.escape(names.dead_lock.removesuffix("dead")) + ".*"
    entrances = (names.messages, names.scheduled, names.due, names.urgent, names.control, names.states)
    queues = [re.escape(name) for lane in lanes for name in (names.lane(lane), names.state(lane))]
    streams = (names.journal, names.outcomes, names.contacts)
    work = (names.receipts, names.callbacks, names.dead_callbacks)
    # What comes off the ladder for another queue than a lane's, and what is put into such a queue at once.
    delayed, at_once = (DELAYED_RECEIPTS, DELAYED_CALLBACKS), (DELAYED_CALLBACKS, DEAD_CALLBACKS)
    return Rights(
        configure=_one_of(_OWN, lock),
        # Into the queue of receipts: only to bind it (`antrian.operations.receipts.outcome_bindings`).
        write=_one_of(_OWN, _ladder(names), *map(re.escape, (*entrances, names.events, names.dead, names.receipts))),
        read=_one_of(
            _OWN, _ladder(names), *queues, *map(re.escape, streams), *map(re.escape, (names.dead, names.events, *work))
        ),
        topics={
            names.scheduled: (f"^{_BITS}({_lanes(lanes)})$", _NOTHING),
            # What is released from the ladder (`antrian.operations.lane.release`), and callbacks.
            names.due: (rf"^released\.({_lanes((*lanes, *at_once))})$", _NOTHING),
            names.dead: (f"^({_lanes(lanes)})$", _NOTHING),
        }
        | {
            names.delay(level): (f"^{_BITS}({_lanes((*lanes, *delayed))})$", _NOTHING) for level in range(LADDER_LEVELS)
        },
    )


def receipts_rights(names: Names, lanes: tuple[str, ...]) -> Rights:
    """What the server for providers' webhooks needs: it must not be able to say that a message was sent."""
    del lanes
    return Rights(
        configure=_NOTHING,
        write=_one_of(re.escape(names.events)),
        read=_NOTHING,
        # Newer brokers ask for the second routing key of an event, too.
        topics={names.events: (r"^(receipt|contact|outcome\.receipt|outcome\.session)\.", _NOTHING)},
    )


#: The users, and what they may do.
ROLES: Mapping[str, Callable[[Names, tuple[str, ...]], Rights]] = {
    "publisher": publisher_rights,
    "consumer": consumer_rights,
    "admin": admin_rights,
    "receipts": receipts_rights,
}


def definitions(
    wanted: Topology, lanes: tuple[str, ...], *, vhost: str = "/", passwords: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What `rabbitmqctl import_definitions` takes, and `load_definitions` in rabbitmq.conf.

    Args:
        wanted: exchanges, queues and bindings.
        lanes: their names.
        vhost: the virtual host.
        passwords: by role; a user without one cannot log in by password.
    """
    rights = {role: give(wanted.names, lanes) for role, give in ROLES.items()}
    given = passwords or {}
    return {
        "vhosts": [{"name": vhost}],
        "users": [_user(role, given.get(role)) for role in ROLES],
        "permissions": [
            {"user": role, "vhost": vhost, "configure": one.configure, "write": one.write, "read": one.read}
            for role, one in rights.items()
        ],
        "topic_permissions": [
            {"user": role, "vhost": vhost, "exchange": exchange, "write": write, "read": read}
            for role, one in rights.items()
            for exchange, (write, read) in one.topics.items()
        ],
        **_objects(wanted, vhost),
    }


def _objects(wanted: Topology, vhost: str) -> dict[str, Any]:
    lasting = {"vhost": vhost, "durable": True, "auto_delete": False}
    return {
        "exchanges": [
            {"name": one.name, "type": one.kind, "internal": False, "arguments": {}} | lasting
            for one in wanted.exchanges
        ],
        "queues": [{"name": one.name, "arguments": dict(one.arguments)} | lasting for one in wanted.queues],
        "bindings": [_binding(one, vhost) for one in wanted.bindings],
    }


def _binding(binding: Binding, vhost: str) -> dict[str, Any]:
    return {
        "source": binding.source,
        "vhost": vhost,
        "destination": binding.destination,
        "destination_type": binding.to,
        "routing_key": binding.key,
        "arguments": dict(binding.arguments),
    }


def _user(name: str, password: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": password_hash(password) if password else "",
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
    }


def password_hash(password: str) -> str:
    """A salted hash as RabbitMQ keeps it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _one_of(*patterns: str) -> str:
    return f"^({'|'.join(patterns)})$"


def _ladder(names: Names) -> str:
    return re.escape(names.delay(0).removesuffix("00")) + r"\d\d"


def _lanes(lanes: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, lanes))
