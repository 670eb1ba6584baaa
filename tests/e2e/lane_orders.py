"""What an admin tells a lane, without the admin side."""

from antrian.broker.connection import open_channel
from antrian.broker.lane_state import send_control, write_state
from antrian.broker.topology import Names
from antrian.domain.control import Command, Control
from antrian.domain.settings import Settings


def pause(lane: Settings, *, paused: bool) -> None:
    with open_channel(lane.amqp_urls, name="test admin") as channel:
        write_state(channel, Names(lane.whatsapp_queue_namespace), "default", paused=paused, actor="test")


def force(lane: Settings) -> None:
    with open_channel(lane.amqp_urls, name="test admin") as channel:
        send_control(channel, Names(lane.whatsapp_queue_namespace), Control(Command.FORCE, "default", "test"))
