"""Whether it is sending, and at which pace."""

from collections.abc import Iterator

from panels import GREEN, GREY, ORANGE, PURPLE, RED, Panel, chart, coloured, histogram, limit, number, timeline
from vocabulary import LANE, OFF_ON, STATES


def sending() -> Iterator[Panel]:
    """States, calls, gaps."""
    yield from _states()
    yield _calls()
    yield from _gaps()


def _states() -> Iterator[Panel]:
    yield timeline(
        "What the lane does",
        {"{{lane}}": f"lane:antrian_state:code{{{LANE}}}"},
        STATES,
        about="By the active consumer.",
        width=8,
        height=6,
    )
    yield timeline(
        "Why it does not send",
        {
            "{{lane}}: provider away": f"max by (lane) (antrian_breaker_open{{{LANE}}})",
            "{{lane}}: held, {{reason}}": f"max by (lane, reason) (antrian_lane_held{{{LANE}}})",
            "{{lane}}: paused": f"max by (lane) (antrian_consumer_paused{{{LANE}}})",
            "{{lane}}: nobody serves it": f"lane:antrian_replicas:sum{{{LANE}}} == bool 0",
        },
        OFF_ON,
        about="Red is a reason not to send.",
        width=8,
        height=6,
    )
    yield timeline(
        "Who sends",
        {"{{lane}} {{instance}}": f"antrian_consumer_active{{{LANE}}}"},
        {0: ("standby", GREY), 1: ("active", GREEN)},
        about="Which consumer works on the lane; a change of colours is a fail-over.",
        width=8,
        height=6,
    )


def _calls() -> Panel:
    return coloured(
        chart(
            "Calls to the provider per minute",
            {"{{outcome}}": f"60 * sum by (outcome) (rate(antrian_sends_total{{{LANE}}}[$__rate_interval]))"},
            about="By how they ended. Without failures this is 60 divided by the delay, or less when little waits.",
            width=7,
            stacked=True,
        ),
        {
            "^sent$": GREEN,
            "^(rejected|uncertain)$": RED,
            "^(transient|recipient_busy)$": ORANGE,
            "^unavailable$": PURPLE,
        },
    )


def _gaps() -> Iterator[Panel]:
    yield histogram(
        "Gaps between sends (delay: $delay s)",
        f"sum by (le) (increase(antrian_send_gap_seconds_bucket{{{LANE}}}[$__rate_interval]))",
        about="From the end of one send to the start of the next. Nothing may lie below the delay, urgent and forced "
        "sends excepted; a busy lane is one bright line just above it.",
        width=7,
    )
    quantile = "histogram_quantile({}, sum by (le) (rate(antrian_send_gap_seconds_bucket{{" + LANE + "}}[5m])))"
    yield limit(
        chart(
            "Gap against the delay",
            {
                "delay {{lane}}": f"lane:antrian_delay:seconds{{{LANE}}}",
                "shortest (1 in 100)": quantile.format("0.01"),
                "median": quantile.format("0.5"),
            },
            about="No line may go below the dashed one, urgent and forced sends excepted.",
            width=7,
            unit="s",
        ),
        "^delay",
    )
    yield number(
        "Gaps below the delay",
        {"{{lane}}": f"sum by (lane) (increase(antrian_send_gap_violations_total{{{LANE}}}[$__range]))"},
        about="Within the time that is shown; urgent and forced sends are not counted. Anything but 0 is a fault.",
        width=3,
        steps=[(0, GREEN), (0.5, RED)],
    ).height(8)
