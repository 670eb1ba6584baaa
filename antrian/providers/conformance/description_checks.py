"""Checks that a provider's description is complete, and agrees with the catalog."""

import re

from antrian.domain.failure_class import FailureClass
from antrian.domain.provider_catalog import PROVIDERS, ReceiptProof
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus
from antrian.providers.conformance.check import Area, Checks, ConformanceError, demand
from antrian.providers.conformance.probe import ClientSettings, ProviderProbe, Situation

CHECKS = Checks(Area.DESCRIPTION)

_TODO = re.compile(r"TODO[^'\"\\]*")

_HIGHEST = {"": 0, "sent": ReceiptStatus.SENT.rank, "delivered": ReceiptStatus.DELIVERED.rank}


@CHECKS.add()
def nothing_is_left_to_be_done(probe: ProviderProbe) -> None:
    """No `TODO` of the skeleton is left in the description."""
    left = [
        f"{name}: {', '.join(dict.fromkeys(_TODO.findall(repr(getattr(probe, name)))))}"
        for name in ("request", "cases", "lacks", "webhooks")
        if _TODO.search(repr(getattr(probe, name)))
    ]
    demand(not left, "\n    ".join(["TODO is left in the description, in", *left]))


@CHECKS.add()
def every_situation_is_described(probe: ProviderProbe) -> None:
    """Each of `Situation` has a case, or a reason why the provider has none."""
    missing = [one for one in Situation if probe.case(one) is None and not probe.lacks.get(one)]
    demand(not missing, f"neither a case nor a reason in `lacks` for: {', '.join(missing)}")


@CHECKS.add()
def failures_of_several_classes_are_described(probe: ProviderProbe) -> None:
    """At least what is refused for good, what stops the lane, and what is unknown."""
    described = {case.expected for case in probe.cases}
    wanted = {None, FailureClass.REJECTED, FailureClass.UNAVAILABLE}
    missing = [str(one) for one in wanted - described]
    demand(not missing, f"no case of: {', '.join(missing)}")


@CHECKS.add()
def the_client_says_who_it_is(probe: ProviderProbe) -> None:
    """`name` is what the history shows, and `patience` is the time that was asked for."""
    provider = probe.make_client(ClientSettings(url="http://127.0.0.1:9", patience=7.0))
    demand(provider.name == probe.provider, f"the client's name is {provider.name!r}, not {probe.provider!r}")
    demand(provider.patience >= 7.0, f"its patience is {provider.patience}, and 7 s were asked for")  # noqa: PLR2004
    provider.close()


@CHECKS.add()
def the_catalog_agrees(probe: ProviderProbe) -> None:
    """What the catalog says of the provider is what its adapter does."""
    kind = probe.kind or PROVIDERS.get(probe.provider)
    if kind is None:
        raise ConformanceError(f"{probe.provider!r} is not in the catalog: is its package installed?")
    demand(kind.name == probe.provider, f"the catalog calls it {kind.name!r}")
    if kind.echoes_id:
        demand(probe.request.correlation, "the catalog says that it echoes our id: say where it goes, in `correlation`")
    if probe.webhooks is None or probe.reader is None:
        demand(not kind.tells, "the catalog says that it tells how far messages come, and no webhooks are described")
        return
    is_signed = probe.webhooks.sign is not None
    demand(is_signed == (kind.receipts is ReceiptProof.SIGNATURE), "catalog and description differ on signed webhooks")
    reached = max((rank_of(event) for sample in probe.webhooks.samples for event in sample.events), default=0)
    highest = _HIGHEST.get(kind.tells, ReceiptStatus.READ.rank)
    demand(reached == highest, f"the catalog says that it tells {kind.tells or 'nothing'!r}, and the samples do not")


def rank_of(event: object) -> int:
    """How far an event says that a message has come; 0 for none."""
    is_progress = isinstance(event, DeliveryReceipt) and event.status is not ReceiptStatus.FAILED
    return event.status.rank if is_progress and isinstance(event, DeliveryReceipt) else 0
