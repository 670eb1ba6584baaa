"""The bell of an urgent message: the copy that goes into the lane also reaches the consumers, in the same publish.

A consumer that holds a message for the pause does not see what arrives in the lane's queue. So an urgent message is
published in a way that has the broker route it to the control exchange as well: at once by a second routing key
(`BCC`), or when it comes off the delay ladder by a header. A consumer takes such a copy for a bell and reads nothing
but its properties. See `docs/decisions/0009-an-urgent-message-is-its-own-bell.md`.
"""

from typing import TYPE_CHECKING

from antrian.broker.topology import DUE_BELL, Names, bell_key
from antrian.domain.control import Command, Control, decode_control
from antrian.domain.headers import GENERATION
from antrian.domain.message import message_id_of
from antrian.domain.priority import Priority

if TYPE_CHECKING:
    import pika

#: More routing keys for the exchange that is published to; the broker takes the header out before it delivers.
_MORE_KEYS = "BCC"


def ring(properties: "pika.BasicProperties", lane: str, *, later: bool = False) -> None:
    """Have a message ring when it reaches its lane; does nothing to one that is not urgent.

    Args:
        properties: to be published with; changed in place.
        lane: where it goes.
        later: whether it goes on to the delay ladder first.
    """
    if (properties.priority or 0) >= Priority.URGENT:
        more = {DUE_BELL: True} if later else {_MORE_KEYS: [bell_key(lane)]}
        properties.headers = {**(properties.headers or {}), **more}


def heard(
    names: Names, exchange: str, routing_key: str, body: bytes, properties: "pika.BasicProperties"
) -> Control | None:
    """What a delivery from the control exchange commands; None for what commands nothing.

    Any publisher may ring, so what did not come from an admin by the control exchange itself can only be a bell.
    """
    if exchange in {names.control, names.urgent}:
        control = decode_control(body)
        return control if control and (exchange == names.control or control.command is Command.URGENT) else None
    if not isinstance(properties.priority, int) or properties.priority < Priority.URGENT:
        return None
    lane = routing_key.rpartition(".")[2]
    generation = (properties.headers or {}).get(GENERATION, 0)
    return Control(
        Command.URGENT,
        lane,
        properties.app_id or "",
        message_id_of(body, properties),
        generation=generation if isinstance(generation, int) else 0,
    )
