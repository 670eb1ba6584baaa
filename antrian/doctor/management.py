"""What only RabbitMQ's management API tells: each node's alarms and room, and old features that are still in use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from antrian.doctor.finding import Finding, ok, problem, warning
from antrian.doctor.provider import seconds_ahead

SUBJECT = "management"

_TIMEOUT = 5.0
_NOT_FOUND = 404
#: Free disk, as a multiple of the limit at which RabbitMQ stops, that leaves time to do something.
_ROOM = 2


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the broker."""

    name: str
    is_running: bool
    has_alarm: bool
    disk_free: int
    disk_limit: int


@dataclass(frozen=True, slots=True)
class ManagementFacts:
    """What the API tells.

    Attributes:
        trouble: why it tells nothing; empty when it does.
        nodes: of the broker.
        deprecated: features in use that a later RabbitMQ will not have.
        ahead: seconds that our clock is ahead of the broker's.
    """

    trouble: str = ""
    nodes: tuple[Node, ...] = ()
    deprecated: tuple[str, ...] = ()
    ahead: float | None = field(default=None)


def check(facts: ManagementFacts) -> Iterator[Finding]:
    """What that means."""
    if facts.trouble:
        yield warning(
            SUBJECT,
            f"The management API gave no answer: {facts.trouble}.",
            "Correct --management, or give the user the tag `monitoring`; the other checks did not need it.",
        )
        return
    for node in facts.nodes:
        yield from _check_node(node)
    if facts.deprecated:
        yield warning(
            SUBJECT,
            f"The broker uses deprecated features: {', '.join(facts.deprecated)}.",
            "Antrian uses none of them: find out what else uses this broker before you upgrade it.",
        )
    elif all(node.is_running and not node.has_alarm for node in facts.nodes):
        count = len(facts.nodes)
        yield ok(
            SUBJECT,
            "1 node runs without an alarm, and no deprecated feature is used."
            if count == 1
            else f"{count} nodes run without an alarm, and no deprecated feature is used.",
        )


def _check_node(node: Node) -> Iterator[Finding]:
    if not node.is_running:
        yield problem(
            SUBJECT, f"The node {node.name} is not running.", "Follow docs/runbooks/AntrianBrokerNodeDown.md."
        )
    elif node.has_alarm:
        yield problem(
            SUBJECT, f"The node {node.name} has a memory or disk alarm.", "Free memory or disk on that machine."
        )
    elif node.disk_free < _ROOM * node.disk_limit:
        yield warning(
            SUBJECT,
            f"The node {node.name} has {node.disk_free / 1e9:.1f} GB of disk; it stops at {node.disk_limit / 1e9:.1f}.",
            "Follow docs/runbooks/AntrianBrokerDiskLow.md.",
        )


def look(address: str, amqp_url: str) -> ManagementFacts:
    """Ask the API, as the user of the AMQP address.

    Args:
        address: such as `http://127.0.0.1:15672`.
        amqp_url: its user name and password are used.
    """
    parts = urlsplit(amqp_url)
    with requests.Session() as session:
        session.auth = (unquote(parts.username or "guest"), unquote(parts.password or "guest"))
        try:
            answer = session.get(f"{address.rstrip('/')}/api/nodes", timeout=_TIMEOUT)
            answer.raise_for_status()
            nodes = tuple(_node(one) for one in answer.json())
            deprecated = _deprecated(session, address)
        except requests.HTTPError as error:
            return ManagementFacts(f"it answers with HTTP {error.response.status_code}")
        except (requests.RequestException, ValueError, TypeError, KeyError) as error:
            return ManagementFacts(f"nothing answers there ({type(error).__name__})")
    return ManagementFacts("", nodes, deprecated, seconds_ahead(answer.headers.get("Date"), datetime.now(UTC)))


def _node(said: Mapping[str, Any]) -> Node:
    alarm = bool(said.get("mem_alarm") or said.get("disk_free_alarm"))
    return Node(
        str(said["name"]),
        bool(said["running"]),
        alarm,
        int(said.get("disk_free") or 0),
        int(said.get("disk_free_limit") or 0),
    )


def _deprecated(session: requests.Session, address: str) -> tuple[str, ...]:
    answer = session.get(f"{address.rstrip('/')}/api/deprecated-features/used", timeout=_TIMEOUT)
    if answer.status_code == _NOT_FOUND:
        return ()  # RabbitMQ before 3.13 does not know of any
    answer.raise_for_status()
    return tuple(str(one["name"]) for one in answer.json())
