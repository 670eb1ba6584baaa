"""Antrian: operations. The first line says whether it is well; everything below says why."""

from collections.abc import Iterator

from frame import choice, looked_up, marks, page, row
from grafana_foundation_sdk.builders.dashboard import Dashboard
from message_rows import deliveries, failures, holds, waiting
from panels import BLUE, GREEN, ORANGE, RED, YELLOW, Panel, number, word
from process_rows import around, processes
from sending_rows import sending
from vocabulary import LANE, STATES


def dashboard() -> Dashboard:
    """The whole of it."""
    made = page("antrian-operations", "Antrian: operations", "Is it sending, when is the next send, and why not now.")
    made = made.with_variable(choice("lane", "Lane", "label_values(antrian_messages, lane)"))
    made = made.with_variable(looked_up("delay", f"query_result(max(antrian_delay_seconds{{{LANE}}}))"))
    firing = 'count by (alertname, lane) (ALERTS{alertname=~"Antrian.+", alertstate="firing", severity="critical"})'
    made = made.annotation(marks("Critical alerts", firing))
    for panel in _at_a_glance():
        made = made.with_panel(panel)
    made = row(made, "Is it sending?", sending())
    made = row(made, "How long do messages wait?", waiting())
    made = row(made, "What holds messages back?", holds())
    made = row(made, "What arrives?", deliveries())
    made = row(made, "What goes wrong?", failures())
    made = row(made, "Those who publish, and those who look", around())
    return row(made, "Processes", processes())


def _at_a_glance() -> Iterator[Panel]:
    yield from _about_sending()
    yield from _about_what_waits()
    yield from _about_trouble()


def _about_sending() -> Iterator[Panel]:
    yield word(
        "Now",
        {"{{lane}}": f"lane:antrian_state:code{{{LANE}}}"},
        STATES,
        about="What the active consumer of the lane is doing.",
        width=4,
    )
    yield number(
        "Next send in",
        {"{{lane}}": f"clamp_min(lane:antrian_next_send_in:seconds{{{LANE}}}, 0)"},
        about="0: it may happen now. Orange and red: the provider asked for a longer silence than a pause.",
        width=3,
        unit="s",
        steps=[(0, GREEN), (60, ORANGE), (600, RED)],
    )
    yield number(
        "Last accepted",
        {"{{lane}}": f"lane:antrian_last_sent_age:seconds{{{LANE}}}"},
        about="Since the provider last accepted a message. Long is well when nothing waits.",
        width=3,
        unit="s",
        steps=[(0, GREEN), (300, YELLOW)],
    )


def _about_what_waits() -> Iterator[Panel]:
    yield number(
        "Waiting",
        {"{{lane}}": f"lane:antrian_waiting:max{{{LANE}}}"},
        about="Messages in the lane, the one being sent included.",
        width=3,
        steps=[(0, BLUE)],
    )
    yield number(
        "Until all is sent",
        {"{{lane}}": f"lane:antrian_waiting:max{{{LANE}}} * lane:antrian_delay:seconds"},
        about="What waits, times the delay.",
        width=3,
        unit="s",
        steps=[(0, GREEN), (3600, YELLOW), (86400, ORANGE)],
    )


def _about_trouble() -> Iterator[Panel]:
    yield number(
        "Dead letters",
        {"all lanes": "max(antrian_dead_letters)"},
        about="Messages that were given up and wait for a decision. All lanes share them.",
        width=3,
        steps=[(0, GREEN), (1, YELLOW), (100, ORANGE)],
    )
    yield number(
        "Consumers",
        {"{{lane}}": f"lane:antrian_replicas:sum{{{LANE}}}"},
        about="Processes that serve the lane and reach the broker: an active one and its standby.",
        width=2,
        steps=[(0, RED), (1, ORANGE), (2, GREEN)],
    )
    yield number(
        "Alerts",
        {"firing": 'count(ALERTS{alertname=~"Antrian.+", alertstate="firing"}) or vector(0)'},
        about="Alerts that are firing now; each has a page in docs/runbooks/.",
        width=3,
        steps=[(0, GREEN), (1, RED)],
    )
