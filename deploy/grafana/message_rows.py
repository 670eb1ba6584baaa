"""What happens to messages: how long they wait, and how they end."""

from collections.abc import Iterator

from panels import GREEN, ORANGE, RED, YELLOW, Panel, chart, coloured, limit, number
from vocabulary import LANE, PRIORITIES


def waiting() -> Iterator[Panel]:
    """Waits against the objectives, and what waits now."""
    wait = chart(
        "Wait until sent, 95 of 100, against the objective",
        {
            "{{priority}} {{lane}}": f"lane_priority:antrian_wait:p95_15m{{{LANE}}}",
            "objective {{priority}}": 'priority:antrian_wait_objective:seconds{priority=~"urgent|high"}',
        },
        about="From publishing to sending, of what was sent within the last 15 minutes.",
        width=12,
        unit="s",
    )
    yield limit(coloured(wait, {f"^{name} ": colour for name, colour in PRIORITIES.items()}), "^objective")
    yield coloured(
        chart(
            "What waits, by priority",
            {"{{priority}}": f"sum by (priority) (max by (lane, priority) (antrian_queue_depth{{{LANE}}}))"},
            about="From the history.",
            width=6,
            stacked=True,
        ),
        {f"^{name}$": colour for name, colour in PRIORITIES.items()},
    )
    yield chart(
        "What waits, by state",
        {"{{state}}": f"sum by (state) (max by (lane, state) (antrian_messages{{{LANE}}}))"},
        about="As the broker counts: waiting in the lane, being sent, waiting for another attempt, or for their time.",
        width=6,
        stacked=True,
    )


def holds() -> Iterator[Panel]:
    """What messages wait for, and what the lanes may still send."""
    yield chart(
        "What waits, by what it waits for",
        {"{{reason}}": f"sum by (reason) (max by (lane, reason) (antrian_waiting_messages{{{LANE}}}))"},
        about="Every message that waits, waits for one thing: its turn (pace), a time of its own, or a rule of its "
        "lane.",
        width=8,
        stacked=True,
    )
    used, cap = (f"max by (lane, cap) (antrian_lane_{what}{{{LANE}}})" for what in ("used", "cap"))
    yield limit(
        chart(
            "Sent against the caps",
            {"sent, {{cap}}, {{lane}}": f"{used} and ({cap} > 0)", "cap, {{cap}}, {{lane}}": f"{cap} > 0"},
            about="Of this hour, of this day, and of this day to new contacts; the cap for these grows in a warm-up.",
            width=8,
        ),
        "^cap, ",
    )
    yield number(
        "Held the longest",
        {"{{lane}}": f"time() - max by (lane) (antrian_held_oldest_timestamp_seconds{{{LANE}}} > 0)"},
        about="Since the oldest message that a rule holds was queued.",
        width=4,
        unit="s",
        steps=[(0, GREEN), (86_400, YELLOW), (259_200, ORANGE)],
    ).height(8)
    yield number(
        "New contacts refused for",
        {"{{lane}}": f"clamp_min(max by (lane) (antrian_cold_held_until_timestamp_seconds{{{LANE}}} > 0) - time(), 0)"},
        about="Until messages to people who never wrote to the number are tried again. Empty is well.",
        width=4,
        unit="s",
        steps=[(0, GREEN), (1, RED)],
    ).height(8)


def deliveries() -> Iterator[Panel]:
    """What arrives of what was handed over, how fast, and what nothing is told of."""
    yield coloured(
        chart(
            "What providers report, per minute",
            {
                "{{status}} {{provider}}": "60 * sum by (status, provider) "
                f"(rate(antrian_deliveries_total{{{LANE}}}[$__rate_interval]))"
            },
            about="Of messages that they had taken: delivered, read, failed.",
            width=8,
            stacked=True,
        ),
        {"^delivered": GREEN, "^failed": RED},
    )
    quantile = (
        "histogram_quantile({}, sum by (le, provider) (rate(antrian_delivery_seconds_bucket{{" + LANE + "}}[1h])))"
    )
    yield chart(
        "Time to delivery",
        {"median, {{provider}}": quantile.format("0.5"), "95 of 100, {{provider}}": quantile.format("0.95")},
        about="From the provider's acceptance to the person's telephone, by the provider's clock.",
        width=8,
        unit="s",
    )
    missing, expected = (f"max by (lane) (antrian_receipts_{what}{{{LANE}}})" for what in ("missing", "expected"))
    yield number(
        "Without a receipt",
        {"{{lane}}": f"{missing} / ({expected} > 0)"},
        about="Of what was taken from 24 hours to 1 hour ago, on lanes whose provider sends receipts to us.",
        width=4,
        unit="percentunit",
        steps=[(0, GREEN), (0.2, YELLOW), (0.5, RED)],
    ).height(8)
    yield number(
        "Parked receipts",
        {"{{lane}}": f"max by (lane) (antrian_receipts_parked{{{LANE}}})"},
        about="Receipts of messages that the history does not know. Many: another program sends with the same account.",
        width=4,
        steps=[(0, GREEN), (1_000, YELLOW)],
    ).height(8)


def failures() -> Iterator[Panel]:
    """Dead letters, ends, attempts."""
    yield chart(
        "Dead letters, by reason",
        {"{{failure_class}}": "max by (failure_class) (antrian_dead_letters_by_reason)"},
        about="Messages that were given up, by the class of their last failure.",
        width=7,
        stacked=True,
    )
    yield coloured(
        chart(
            "How messages end, per minute",
            {"{{end}}": f"60 * sum by (end) (rate(antrian_messages_total{{{LANE}}}[$__rate_interval]))"},
            about="Sent, given up, or taken out before they were sent.",
            width=7,
            stacked=True,
        ),
        {"^sent$": GREEN, "^dead$": RED},
    )
    rate = "sum by (lane) (rate(antrian_message_attempts_{}{{" + LANE + "}}[15m]))"
    yield chart(
        "Attempts per message",
        {"{{lane}}": f"{rate.format('sum')} / {rate.format('count')}"},
        about="Until they were sent or given up. 1 is well.",
        width=7,
    )
    yield number(
        "Soon forgotten",
        {"dead letters": "max(antrian_dead_letters_near_retention)"},
        about="Dead letters that are nearly as old as the history's memory.",
        width=3,
        steps=[(0, GREEN), (1, ORANGE)],
    ).height(8)
