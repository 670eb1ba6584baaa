"""What an admin tells a lane, without the admin side."""

from broker.connection import open_channel
from broker.control import Command, Control
from broker.lane_state import send_control, write_state
from broker.settings import Settings
from broker.topology import Names


def pause(lane: Settings, *, paused: bool) -> None:
    with open_channel(lane.amqp_urls, name="test admin") as channel:
        write_state(channel, Names(lane.whatsapp_queue_namespace), "default", paused=paused, actor="test")


def force(lane: Settings) -> None:
    with open_channel(lane.amqp_urls, name="test admin") as channel:
        send_control(channel, Names(lane.whatsapp_queue_namespace), Control(Command.FORCE, "default", "test"))
