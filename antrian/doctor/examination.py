"""The whole examination: fetches the facts of each subject, and has them checked."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from antrian.broker import topology_sync
from antrian.broker.connection import broker_urls, open_channel
from antrian.broker.stream.lookup import NoStream
from antrian.broker.topology import Topology
from antrian.broker.topology import topology as topology_of
from antrian.doctor import (
    alarm,
    broker_node,
    clock,
    history,
    lane,
    machine,
    management,
    permissions,
    provider,
    receipts,
    settings,
    topology,
)
from antrian.doctor.clock import JumpWatch
from antrian.doctor.finding import Finding, Severity, warning
from antrian.doctor.role import BrokerRole
from antrian.domain.errors import BrokerError, NoBroker
from antrian.domain.settings import Settings
from antrian.operations.lane.status import Status
from antrian.up.run_record import is_running


@dataclass(frozen=True, slots=True)
class Examination:
    """What to examine.

    Attributes:
        settings: of the processes on this machine.
        role: what this machine does; None for everything.
        management: address of RabbitMQ's management API; None to do without it.
        versions: of the programs that were met, by name; filled on the way.
    """

    settings: Settings
    role: BrokerRole | None = None
    management: str | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def findings(self) -> Iterator[Finding]:
        """Everything that there is to say."""
        watch, ahead = JumpWatch(), dict[str, float | None]()
        yield from settings.check(self.settings)
        yield from self._machine()
        lanes: list[Status] = []
        yield from self._broker(lanes, ahead)
        if self._is_for(BrokerRole.CONSUMER):
            yield from self._provider(ahead)
        if self._is_for(BrokerRole.RECEIPTS) and (self.role is not None or receipts.has_webhooks(self.settings)):
            yield from self._receipts()
        if self._is_for(BrokerRole.ADMIN):
            yield from self._history(lanes)
        for status in lanes:
            if behind := lane.clock_ahead(status):
                ahead[f"the consumer's of lane {status.lane}"] = -behind
        yield from clock.check(ahead, watch.jumped(), min(one.delay for one in self.settings.lanes.values()))

    def _is_for(self, role: BrokerRole) -> bool:
        return self.role in {None, role}

    def _machine(self) -> Iterator[Finding]:
        yield machine.check_disk(*machine.look_at_disk(self.settings))
        if self._is_for(BrokerRole.ADMIN):
            yield from machine.check_files(machine.look_at_files(self.settings))
            yield machine.check_tokens(machine.look_at_tokens(self.settings))

    def _broker(self, lanes: list[Status], ahead: dict[str, float | None]) -> Iterator[Finding]:
        try:
            bells = broker_node.ring(broker_urls(self.settings))
        except NoBroker as error:
            bells = broker_node.Doorbells((), (str(error),))
        yield from broker_node.check_answers(bells)
        if not bells.open:
            return
        alarmed = alarm.look(bells.open)
        yield alarm.check(alarmed)
        yield from self._what_the_broker_has(bells.open)
        # With an alarm, the broker does not even answer whether a consumer listens.
        if self._is_for(BrokerRole.ADMIN) and alarmed is None:
            yield from self._lanes(bells.open, lanes)
        if self.management is not None:
            facts = management.look(self.management, bells.open[0])
            ahead["the broker's"] = facts.ahead
            yield from management.check(facts)

    def _what_the_broker_has(self, urls: Sequence[str]) -> Iterator[Finding]:
        wanted = topology_of(self.settings)
        with open_channel(urls, name="antrian doctor") as channel:
            self.versions["rabbitmq"] = broker_node.version_of(channel.connection)
            version = broker_node.check_version(self.versions["rabbitmq"], wanted)
            yield version
            if version.state is Severity.PROBLEM:
                return
            yield from topology.check(topology_sync.plan(channel.connection, wanted))
        yield self._permissions(urls, wanted)

    def _permissions(self, urls: Sequence[str], wanted: Topology) -> Finding:
        with open_channel(urls, name="antrian doctor") as channel:
            lacking = permissions.look(channel.connection, wanted, self.settings.lanes.names)
        return permissions.check(lacking, self.role)

    def _lanes(self, urls: Sequence[str], lanes: list[Status]) -> Iterator[Finding]:
        try:
            with open_channel(urls, name="antrian doctor") as channel:
                found = list(lane.look(channel, self.settings, self.settings.lanes.names))
        except BrokerError as error:
            found = [(name, error) for name in self.settings.lanes.names]
        for name, status in found:
            if isinstance(status, BrokerError):
                yield _unseen(lane.SUBJECT, f"lane {name}", status)
            else:
                lanes.append(status)
                yield from lane.check(status, needs_standby=not is_running(self.settings))

    def _provider(self, ahead: dict[str, float | None]) -> Iterator[Finding]:
        if finding := provider.check_settings(self.settings):
            yield finding
            return
        addresses = provider.addresses(self.settings)
        for url, lane_there in addresses.items():
            facts = provider.look(lane_there.provider, url, is_sandbox=lane_there.is_sandbox)
            whose = "the provider's" if len(addresses) == 1 else f"the provider's at {facts.where}"
            ahead[whose] = facts.ahead
            yield from provider.check(facts)

    def _receipts(self) -> Iterator[Finding]:
        yield from receipts.check_settings(self.settings)
        where, answers = receipts.look(self.settings)
        yield receipts.check_server(where, answers=answers)

    def _history(self, lanes: Sequence[Status]) -> Iterator[Finding]:
        facts = history.look(self.settings, time.time())
        yield from history.check(facts)
        yield from history.check_difference(facts, lanes)
        yield history.check_dead(facts.near)
        try:
            start = history.look_at_journal(self.settings, broker_urls(self.settings))
        except (BrokerError, NoBroker, NoStream) as error:
            yield _unseen(history.RETENTION, "the journal", error)
        else:
            yield from history.check_journal(start, facts, self.settings)


def _unseen(subject: str, what: str, error: Exception) -> Finding:
    return warning(subject, f"Could not check {what}: {error}.", "Fix that first, then run this again.")
