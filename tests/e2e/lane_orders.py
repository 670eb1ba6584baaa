"""What an admin tells a lane, without the admin side."""

from antrian.broker.lane_state import send_control, write_state
from antrian.broker.topology import Names
from antrian.domain.control import Command, Control
from antrian.domain.settings import Settings


def pause(lane: Settings, *, paused: bool) -> None:
    write_state(lane.amqp_urls, Names(lane.whatsapp_queue_namespace), "default", paused=paused, actor="test")


def force(lane: Settings) -> None:
    send_control(lane.amqp_urls, Names(lane.whatsapp_queue_namespace), Control(Command.FORCE, "default", "test"))
