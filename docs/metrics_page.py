"""The metrics page: one row for every metric of every process, from the lists that the processes register."""

from collections.abc import Sequence
from string import Template

from generated import TEMPLATES, documented, table

from admin_api import metrics as admin
from antrian.domain.hold import HoldReason
from antrian.domain.lifecycle import ENDS
from antrian.domain.metric import Metric
from antrian.receipts import metrics as receipts
from consumer import lane_meter
from consumer import metrics as consumer
from consumer.lane.snapshot import LaneActivity
from publisher import metrics as publisher

#: The values that a label may have.
LABELS = {
    "lane": "one of the lanes (`antrian lanes`)",
    "provider": "the name in `WHATSAPP_PROVIDER`",
    "priority": ", ".join(f"`{one}`" for one in consumer.PRIORITIES) + " (a number of a stranger's own)",
    "outcome": f"of a send: {', '.join(f'`{one}`' for one in lane_meter.OUTCOMES)}; "
    f"of a publish: {', '.join(f'`{one}`' for one in publisher.OUTCOMES)}",
    "end": ", ".join(f"`{one}`" for one in ENDS.values()),
    "cap": "of a cap: `hour`, `day`, `cold`",
    "reason": f"of a lane that is held by its provider: {', '.join(f'`{one}`' for one in consumer.HOLDS)}; "
    f"of messages that wait: {', '.join(f'`{one.value}`' for one in HoldReason)}; "
    f"of a message that was postponed: {', '.join(f'`{one}`' for one in lane_meter.REASONS)}",
    "state": f"of a lane: {', '.join(f'`{one.value}`' for one in LaneActivity)}; "
    f"of messages: {', '.join(f'`{one}`' for one in admin.STATES)}; of a difference: `waiting`, `failed`",
    "failure_class": ", ".join(f"`{one}`" for one in admin.FAILURE_CLASSES),
    "kind": "`used_hour`, `used_day`, `used_cold` (to new contacts), and the caps: `cap_hour`, `cap_day`, `cap_cold`",
    "method": ", ".join(f"`{one}`" for one in sorted(admin.METHODS)) + ", `other`",
    "route": "the pattern of an address, such as `/messages/{message_id}`; `none` for an address that is none of ours",
    "status": "of a request: the HTTP status; of a report of a provider: "
    + ", ".join(f"`{one}`" for one in receipts.STATUSES),
    "refusal": ", ".join(f"`{one}`" for one in receipts.REFUSALS),
    "result": f"of a report of a provider: {', '.join(f'`{one}`' for one in admin.REPORT_RESULTS)}; "
    f"of a callback: {', '.join(f'`{one}`' for one in admin.CALLBACK_RESULTS)}",
    "version": "Antrian's own",
    "python": "Python's",
}


def page() -> str:
    """docs/reference/metrics.md.

    Raises:
        LookupError: a label is not explained here, or one is explained that no metric has.
    """
    everything = (*consumer.METRICS, *admin.METRICS, *receipts.METRICS, *publisher.METRICS)
    documented("labels", {label for metric in everything for label in metric.labels}, set(LABELS))
    template = Template((TEMPLATES / "metrics.md").read_text(encoding="utf-8"))
    return template.substitute(
        consumer=_table(consumer.METRICS),
        admin=_table(admin.METRICS),
        receipts=_table(receipts.METRICS),
        publisher=_table(publisher.METRICS),
        labels=table(("label", "values"), [(f"`{name}`", values) for name, values in LABELS.items()]),
    )


def _table(metrics: Sequence[Metric]) -> str:
    rows = [
        (f"`{one.name}`", one.kind, ", ".join(f"`{label}`" for label in one.labels), one.meaning) for one in metrics
    ]
    return table(("metric", "kind", "labels", "meaning"), rows)
