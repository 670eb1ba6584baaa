"""What a consumer process does when an admin has it serve other lanes: `antrian lanes apply`.

    command → read the file → check all of it → lanes.refused, and nothing else has happened
                                              → lanes.accepted → hand the lanes to the process → lanes.applied

All of that happens in a thread of its own: reading and asking the broker take time, and the lanes must not stand still
meanwhile. The answers go over a connection of their own: they are worth a line in the log, and never a lane's.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any

import structlog

from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.event_log import write_events
from antrian.broker.lane_state import read_state
from antrian.broker.topology import Names, topology
from antrian.domain.control import Control
from antrian.domain.errors import AntrianError, BrokerError, SettingsError
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.lane import Lane, LaneChanges, check_complete, lane_changes
from antrian.domain.replanning import replanned
from antrian.domain.settings import Settings
from antrian.providers.registry import make_provider

#: Hands the process its new settings; what is passed along is called once all lanes are as they should be.
ApplyLanes = Callable[[Settings, Callable[[], None]], None]

_log = structlog.get_logger()


def lanes_to_serve(settings: Settings, only: Collection[str] | None) -> dict[str, Lane]:
    """The lanes that a process serves, by name: all, or those that it was told to serve."""
    return {name: lane for name, lane in settings.lanes.items() if only is None or name in only}


class LanesCommand:
    """Carries the command out for one process.

    Args:
        settings: that the process runs with.
        urls: the broker's addresses.
        only: names of the lanes that it serves; None for all.
        apply: changes what the process serves.
    """

    def __init__(
        self,
        settings: Settings,
        urls: Sequence[str],
        only: Collection[str] | None,
        apply: ApplyLanes,
    ) -> None:
        self._settings = settings
        self._urls = urls
        self._only = only
        self._apply = apply
        #: Tells this process from all others; people know it by host and number, of which containers may share one.
        self._id = str(uuid.uuid4())
        self._names = Names(settings.whatsapp_queue_namespace)
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def start(self) -> None:
        """Begin to work; ends with the process."""
        threading.Thread(target=self._work, daemon=True, name="lanes").start()

    def take(self, control: Control) -> None:
        """Carry the command out; from any thread, returns at once."""
        self._tasks.put(partial(self._carry_out, control))

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            try:
                task()
            except Exception:  # noqa: BLE001 (a fault of ours here must not end what the lanes do)
                _log.exception("lanes.broken")

    def _carry_out(self, control: Control) -> None:
        try:
            settings, changes = self._checked()
        except AntrianError as error:
            reasons = str(error).splitlines()
            _log.warning("lanes.refused", actor=control.actor, reasons=reasons)
            serves = list(lanes_to_serve(self._settings, self._only))
            self._tell(EventName.LANES_REFUSED, control, {"reasons": reasons, "lanes": serves})
            return
        replan = _replan(self._settings, settings, changes)
        self._settings = settings
        details = {
            "file": settings.lanes.origin,
            "digest": settings.lanes.digest,
            "lanes": list(lanes_to_serve(settings, self._only)),
            "added": list(changes.added),
            "changed": list(changes.changed),
            "removed": list(changes.removed),
            "replan": replan,
        }
        _log.info("lanes.accepted", actor=control.actor, **details)
        self._tell(EventName.LANES_ACCEPTED, control, details)
        done = partial(self._tell, EventName.LANES_APPLIED, control, details)
        self._apply(settings, lambda: self._tasks.put(done))

    def _checked(self) -> tuple[Settings, LaneChanges]:
        """The settings with the lanes of the file, after everything that can be known beforehand is known to be right.

        Raises:
            SettingsError: the file is wrong, or a lane cannot be served as it says.
            BrokerError: a new lane cannot be served from this broker.
        """
        if self._settings.whatsapp_queue_lanes_file is None:
            raise SettingsError(
                "this consumer has no WHATSAPP_QUEUE_LANES_FILE: variables describe its lanes, and a change of them "
                "needs a restart"
            )
        settings = self._settings.with_lanes_read_again()
        before, after = lanes_to_serve(self._settings, self._only), lanes_to_serve(settings, self._only)
        check_complete(after.values())
        if moved := lane_changes(self._settings.lanes, settings.lanes).moved_senders:
            raise SettingsError("\n".join(moved))
        changes = lane_changes(before, after)
        for name in (*changes.added, *changes.changed):
            make_provider(after[name], sandbox_port=settings.sandbox_port).close()
        with open_channel(self._urls, name="antrian consumer lanes") as channel:
            topology_sync.apply(channel.connection, topology(settings))
            for name in changes.added:
                # It shows whether we may read the new lane's queues before one of its messages could wait for us.
                read_state(channel, self._names, name)
        return settings, changes

    def _tell(self, name: EventName, control: Control, details: Mapping[str, Any]) -> None:
        about = {"consumer": f"{socket.gethostname()} ({os.getpid()})", **details}
        event = Event(name, time.time(), "", control.request, source=self._id, details=about)
        try:
            write_events(self._urls, self._names, [event], name="antrian consumer lanes")
        except BrokerError as error:
            _log.warning("lanes.untold", answer=name, reason=str(error))


def _replan(before: Settings, after: Settings, changes: LaneChanges) -> dict[str, list[str]]:
    """Of which lanes that it serves the limits changed, and the holds that may be others by the new ones."""
    found = {name: replanned(before.lanes[name].limits, after.lanes[name].limits) for name in changes.changed}
    return {name: sorted(reasons) for name, reasons in found.items() if reasons}
