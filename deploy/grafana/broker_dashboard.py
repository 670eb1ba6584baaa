"""Antrian: broker. RabbitMQ as Antrian needs it: taking messages, with room for them."""

from collections.abc import Iterator

from frame import choice, page, row
from grafana_foundation_sdk.builders.dashboard import Dashboard
from panels import BLUE, GREEN, ORANGE, RED, Panel, chart, coloured, limit, number

NODE = 'instance=~"$instance"'


def dashboard() -> Dashboard:
    """The whole of it."""
    made = page("antrian-broker", "Antrian: broker", "Does RabbitMQ take messages, and for how long will it go on?")
    made = made.with_variable(choice("instance", "Node", 'label_values(up{job="rabbitmq"}, instance)'))
    made = made.with_variable(choice("queue", "Queue", "label_values(rabbitmq_detailed_queue_messages, queue)"))
    for panel in _at_a_glance():
        made = made.with_panel(panel)
    made = row(made, "Room", _room())
    made = row(made, "Traffic", _traffic())
    return row(made, "Queues", _queues())


def _at_a_glance() -> Iterator[Panel]:
    yield number(
        "Nodes that report",
        {"nodes": 'sum(up{job="rabbitmq"})'},
        about="In a cluster, three.",
        width=4,
        steps=[(0, RED), (1, GREEN)],
    )
    memory, disk = "rabbitmq_alarms_memory_used_watermark", "rabbitmq_alarms_free_disk_space_watermark"
    yield number(
        "Alarms",
        {"alarms": f"sum({memory}{{{NODE}}}) + sum({disk}{{{NODE}}})"},
        about="Memory and disk. With any of them the broker takes no messages.",
        width=4,
        steps=[(0, GREEN), (1, RED)],
    )
    used, most = "rabbitmq_process_resident_memory_bytes", "rabbitmq_resident_memory_limit_bytes"
    yield number(
        "Memory, share of the limit",
        {"{{instance}}": f"{used}{{{NODE}}} / {most}{{{NODE}}}"},
        about="At 100 % the broker takes no messages.",
        width=4,
        unit="percentunit",
        steps=[(0, GREEN), (0.7, ORANGE), (0.9, RED)],
    )
    yield number(
        "Disk left, above the limit",
        {"{{instance}}": f"{_free()} - {_least()}"},
        about="At 0 the broker takes no messages.",
        width=4,
        unit="bytes",
        steps=[(0, RED), (1e9, ORANGE), (5e9, GREEN)],
    )
    yield number(
        "Connections",
        {"connections": f"sum(rabbitmq_connections{{{NODE}}})"},
        about="Consumers, the admin side and publishers.",
        width=4,
        steps=[(0, BLUE)],
    )
    yield number(
        "Queues",
        {"queues": f"sum(rabbitmq_queues{{{NODE}}})"},
        about="A lane needs two, the delay ladder 24, the records three.",
        width=4,
        steps=[(0, BLUE)],
    )


def _free() -> str:
    return f"rabbitmq_disk_space_available_bytes{{{NODE}}}"


def _least() -> str:
    return f"rabbitmq_disk_space_available_limit_bytes{{{NODE}}}"


def _room() -> Iterator[Panel]:
    yield limit(
        chart(
            "Memory",
            {
                "{{instance}}": f"rabbitmq_process_resident_memory_bytes{{{NODE}}}",
                "limit {{instance}}": f"rabbitmq_resident_memory_limit_bytes{{{NODE}}}",
            },
            about="Above the dashed line the broker takes no messages.",
            width=12,
            unit="bytes",
        ),
        "^limit",
    )
    yield limit(
        chart(
            "Disk left",
            {"{{instance}}": _free(), "limit {{instance}}": _least()},
            about="Below the dashed line the broker takes no messages. The journal grows for as long as it is kept.",
            width=12,
            unit="bytes",
        ),
        "^limit",
    )


def _traffic() -> Iterator[Panel]:
    yield chart(
        "Messages per second",
        {
            "received": _rate("received_total"),
            "confirmed": _rate("confirmed_total"),
            "delivered": _rate("delivered_total"),
            "acknowledged": _rate("acknowledged_total"),
        },
        about="Events and copies included: one message of Antrian is several of RabbitMQ.",
        width=8,
    )
    yield coloured(
        chart(
            "Returned, dropped, delivered again, per second",
            {
                "unroutable, returned": _rate("unroutable_returned_total"),
                "unroutable, dropped": _rate("unroutable_dropped_total"),
                "delivered again": _rate("redelivered_total"),
            },
            about="Dropped must be 0: every message of ours is mandatory. Delivered again: a consumer died or held.",
            width=8,
        ),
        {"dropped": RED, "again": ORANGE},
    )
    yield chart(
        "Connections, channels, consumers",
        {
            "connections": f"sum(rabbitmq_connections{{{NODE}}})",
            "channels": f"sum(rabbitmq_channels{{{NODE}}})",
            "consumers": f"sum(rabbitmq_consumers{{{NODE}}})",
        },
        about="A number of connections that only grows is a publisher that opens one for each message.",
        width=8,
    )


def _rate(counter: str) -> str:
    return f"sum(rate(rabbitmq_global_messages_{counter}{{{NODE}}}[$__rate_interval]))"


def _queues() -> Iterator[Panel]:
    queue = 'queue=~"$queue"'
    yield chart(
        "Ready",
        {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_messages_ready{{{queue}}}) > 0"},
        about="Messages that wait, by queue; empty queues are left out. Streams count all that they keep.",
        width=8,
    )
    yield chart(
        "Held un-acknowledged",
        {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_messages_unacked{{{queue}}})"},
        about="In a lane at most 1: the message that is being sent, or whose pause is running.",
        width=8,
    )
    yield chart(
        "Consumers",
        {"{{queue}}": f"sum by (queue) (rabbitmq_detailed_queue_consumers{{{queue}}})"},
        about="In a lane: the subscribed ones, none while it is paused or waits for the provider.",
        width=8,
    )
