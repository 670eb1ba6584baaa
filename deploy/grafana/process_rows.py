"""The processes around the queue: publishers, the admin side, the consumers themselves."""

from collections.abc import Iterator

from panels import GREEN, RED, YELLOW, Panel, chart, coloured, on_the_right
from vocabulary import LANE


def around() -> Iterator[Panel]:
    """Publishing, history, HTTP."""
    yield coloured(
        chart(
            "Published per minute",
            {"{{outcome}}": "60 * sum by (outcome) (rate(antrian_published_total[$__rate_interval]))"},
            about="What became of messages that services tried to queue.",
            width=6,
            stacked=True,
        ),
        {"^accepted$": GREEN, "^(unavailable|unknown|unroutable)$": RED, "^invalid$": YELLOW},
    )
    confirms = "sum by (le) (rate(antrian_publish_confirm_seconds_bucket[5m]))"
    yield on_the_right(
        chart(
            "Until the broker confirms",
            {
                "95 of 100": f"histogram_quantile(0.95, {confirms})",
                "median": f"histogram_quantile(0.5, {confirms})",
                "in flight": "sum(antrian_publish_in_flight)",
            },
            about="How long a publisher waits until its message is on disk, and how many it is waiting for.",
            width=6,
            unit="s",
        ),
        "flight",
    )
    yield on_the_right(
        chart(
            "History: behind, and differing from the broker",
            {
                "behind": "max(antrian_history_lag_seconds)",
                "{{state}}: broker minus history": "max by (state) (antrian_history_difference)",
            },
            about="0 is well. The history serves searches and the dead-letter desk; sending does not need it.",
            width=6,
            unit="s",
        ),
        "minus",
    )
    yield chart(
        "HTTP requests per minute",
        {"{{status}}": "60 * sum by (status) (rate(antrian_http_requests_total[$__rate_interval]))"},
        about="Of the admin side, by status.",
        width=6,
        stacked=True,
    )


def processes() -> Iterator[Panel]:
    """Durations and sizes."""
    duration = f"sum by (le, lane) (rate(antrian_send_duration_seconds_bucket{{{LANE}}}[5m]))"
    yield chart(
        "Duration of a call to the provider",
        {
            "{{lane}}, 95 of 100": f"histogram_quantile(0.95, {duration})",
            "{{lane}}, median": f"histogram_quantile(0.5, {duration})",
        },
        about="A slow provider lengthens the time between two messages.",
        width=6,
        unit="s",
    )
    by_route = "sum by (le, route) (rate(antrian_http_request_duration_seconds_bucket[5m]))"
    yield chart(
        "HTTP duration, 95 of 100",
        {"{{route}}": f"histogram_quantile(0.95, {by_route})"},
        about="By route.",
        width=6,
        unit="s",
    )
    yield chart(
        "Remembered messages",
        {"{{lane}} {{instance}}": f"antrian_ledger_entries{{{LANE}}}"},
        about="In each consumer's ledger: that is how it knows what was sent already.",
        width=6,
    )
    yield chart(
        "Memory",
        {"{{job}} {{instance}}": 'process_resident_memory_bytes{job=~"antrian-.+"}'},
        about="Of each process.",
        width=6,
        unit="bytes",
    )
