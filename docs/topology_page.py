"""The architecture page: its diagram and tables of exchanges and queues, drawn from `antrian.broker.topology`."""

import re
from collections.abc import Iterable
from string import Template

from generated import TEMPLATES, table

from antrian.broker.topology import Binding, Queue, Topology, topology
from antrian.domain.settings import load_settings

_LEVEL = re.compile(r"\.delay\.(\d\d)$")
_TOP, _SHOWN = 23, {0, 1, 23}


def page() -> str:
    """docs/architecture.md."""
    ours = topology(load_settings({}))
    template = Template((TEMPLATES / "architecture.md").read_text(encoding="utf-8"))
    return template.substitute(diagram=diagram(ours), queues=_queue_table(ours.queues))


def diagram(ours: Topology) -> str:
    """The topology as a Mermaid flow chart; of the delay ladder only the first and the last rungs are drawn."""
    exchanges = [
        f'  {_node(e.name, "exchange")}{{{{"{e.name}<br/><i>{e.kind}</i>"}}}}'
        for e in ours.exchanges
        if _is_drawn(e.name)
    ]
    queues = [f'  {_node(q.name, "queue")}[("{q.name}")]' for q in ours.queues if _is_drawn(q.name)]
    bindings = [_arrow(b) for b in ours.bindings if _is_drawn(b.source) and _is_drawn(b.destination)]
    dead = [_dead_letter_arrow(q) for q in ours.queues if _is_drawn(q.name) and "x-dead-letter-exchange" in q.arguments]
    gap = [f"  {_node(ours.names.delay(_TOP), 'exchange')} -. 22 … 2 .-> {_node(ours.names.delay(1), 'exchange')}"]
    lines = ["flowchart LR", *exchanges, *queues, *bindings, *gap, *filter(None, dead)]
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def _is_drawn(name: str) -> bool:
    level = _LEVEL.search(name)
    return level is None or int(level[1]) in _SHOWN


def _node(name: str, kind: str) -> str:
    return f"{kind}_{re.sub(r'[^a-z0-9]', '_', name)}"


def _arrow(binding: Binding) -> str:
    label = f'|"{binding.key.replace("*.", "") if binding.key.count("*") > 1 else binding.key}"|' if binding.key else ""
    return f"  {_node(binding.source, 'exchange')} -->{label} {_node(binding.destination, binding.to)}"


def _dead_letter_arrow(queue: Queue) -> str | None:
    target = str(queue.arguments["x-dead-letter-exchange"])
    why = "when its time is over" if "x-message-ttl" in queue.arguments else "rejected, expired"
    return f"  {_node(queue.name, 'queue')} -. {why} .-> {_node(target, 'exchange')}" if _is_drawn(target) else None


def _queue_table(queues: Iterable[Queue]) -> str:
    rows = [
        (f"`{queue.name}`", ", ".join(f"`{name}={value}`" for name, value in queue.arguments.items()))
        for queue in queues
        if _is_drawn(queue.name)
    ]
    return table(("queue", "arguments"), rows)
