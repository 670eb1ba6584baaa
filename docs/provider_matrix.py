"""The page of all providers: what each can do, and which checks it passes, from a run of the checks."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from string import Template

from generated import DOCS, TEMPLATES, table

from antrian.domain.failure_class import FailureClass
from antrian.domain.provider_catalog import PROVIDERS
from antrian.domain.receipt import InboundMessage, SessionNotice
from antrian.providers.conformance.check import Area
from antrian.providers.conformance.probe import ProviderProbe, Situation
from antrian.providers.conformance.run import CHECKS, load_probe, own_providers, run

#: These listen to the whole process.
_ALONE = frozenset({Area.PRIVACY})

#: What stands in the table of checks.
_PASSED, _NOT_HERE = "yes", "-"


def page() -> str:
    """docs/providers/README.md.

    Raises:
        LookupError: a provider fails a check: the page would not be true.
    """
    probes = [load_probe(name) for name in own_providers()]
    passed = _passed(probes)
    template = Template((TEMPLATES / "providers.md").read_text(encoding="utf-8"))
    return template.substitute(
        abilities=table(
            ("", *(_title(probe) for probe in probes)),
            [(what, *cells) for what, cells in _abilities(probes).items()],
        ),
        checks=table(
            ("check", *(PROVIDERS[probe.provider].title for probe in probes)),
            [
                (check.name, *(_PASSED if check.name in passed[probe.provider] else _NOT_HERE for probe in probes))
                for check in CHECKS
            ],
        ),
        lacks="\n".join(f"- {line}" for probe in probes for line in _lacks(probe)),
        count=len(CHECKS),
    )


def _passed(probes: list[ProviderProbe]) -> Mapping[str, set[str]]:
    """The names of the checks that each provider passes; most of their time is waiting, which goes side by side."""
    with ThreadPoolExecutor(len(probes)) as pool:
        found = list(pool.map(lambda probe: list(run(probe, frozenset(Area) - _ALONE)), probes))
    results = [(probe, [*first, *run(probe, _ALONE)]) for probe, first in zip(probes, found, strict=True)]
    failed = [
        f"{probe.provider}: {one.check.name}: {one.complaint}"
        for probe, all_of in results
        for one in all_of
        if one.complaint
    ]
    if failed:
        raise LookupError("\n".join(["providers fail their checks:", *failed]))
    return {probe.provider: {one.check.name for one in all_of} for probe, all_of in results}


def _title(probe: ProviderProbe) -> str:
    title, name = PROVIDERS[probe.provider].title, probe.provider.replace("_", "-")
    return f"[{title}]({name}.md)" if (DOCS / "providers" / f"{name}.md").is_file() else title


def _abilities(probes: list[ProviderProbe]) -> dict[str, list[str]]:
    kinds = [PROVIDERS[probe.provider] for probe in probes]
    classes = {
        f"failure told: `{one}`": [_yes(one in {case.expected for case in probe.cases}) for probe in probes]
        for one in FailureClass
    }
    return {
        "receipts up to": [kind.tells or "handed over" for kind in kinds],
        "an answer that was lost is settled by its receipt": [_yes(kind.echoes_id) for kind in kinds],
        "what people write": [_yes(_tells(probe, InboundMessage)) for probe in probes],
        "state of the connection": [_yes(_tells(probe, SessionNotice)) for probe in probes],
        "proof of a webhook": [str(kind.receipts) for kind in kinds],
        "new contacts refused, told apart": [_yes(probe.case(Situation.COLD_REFUSED) is not None) for probe in probes],
        **classes,
        "texts refused, because they would be changed": [
            ", ".join(sorted(probe.refused_texts)) or "none" for probe in probes
        ],
    }


def _tells(probe: ProviderProbe, kind: type) -> bool:
    samples = probe.webhooks.samples if probe.webhooks else ()
    return any(isinstance(event, kind) for sample in samples for event in sample.events)


def _lacks(probe: ProviderProbe) -> list[str]:
    title = PROVIDERS[probe.provider].title
    return [f"{title}, {situation}: {reason}." for situation, reason in probe.lacks.items()]


def _yes(condition: bool) -> str:  # noqa: FBT001 (a cell of a table)
    return "yes" if condition else "no"
