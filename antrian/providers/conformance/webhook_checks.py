"""Checks of what webhooks tell: everything that is in them, in any order, late and again."""

import json
from dataclasses import replace
from typing import Any

from antrian.domain.receipt import (
    AccountNotice,
    DeliveryReceipt,
    UnreadableReport,
)
from antrian.providers.conformance.check import Area, Checks, demand
from antrian.providers.conformance.probe import SECRET, ProviderProbe, WebhookSample
from antrian.providers.conformance.receiving import (
    NOW,
    demand_events,
    has_webhooks,
    is_batched,
    parts_of,
    read,
    request_of,
    verify,
    with_header,
)

CHECKS = Checks(Area.WEBHOOKS, has_webhooks)


@CHECKS.add()
def genuine_webhooks_are_accepted_and_read(probe: ProviderProbe) -> None:
    """Every sample is proved, and tells what the description says."""
    _, webhooks = parts_of(probe)
    demand(webhooks.samples, "no samples are described")
    for sample in webhooks.samples:
        request = request_of(webhooks, sample)
        demand(verify(probe, request), f"{sample.name!r} is genuine, and is refused")
        demand_events(read(probe, request), sample.events, sample.name)


@CHECKS.add()
def a_repeated_webhook_is_known_by_its_key(probe: ProviderProbe) -> None:
    """The same request has the same key again, whatever stands in headers that nobody signs; another has another."""
    reader, webhooks = parts_of(probe)
    keys = {}
    for sample in webhooks.samples:
        request = request_of(webhooks, sample)
        key = reader.repeat_key(request)
        keys[sample.name] = key
        demand(key == reader.repeat_key(request_of(webhooks, sample)), f"{sample.name!r} has two keys")
        for name in request.headers:
            changed = with_header(request, name, "other/1")
            same = reader.repeat_key(changed) == key
            proved = name == webhooks.signature or not verify(probe, changed)
            demand(same or proved, f"{sample.name!r}: its key follows from the header {name!r}, which nobody signs")
        demand(read(probe, request) == read(probe, request), f"{sample.name!r} tells two things when read twice")
    given = [key for key in keys.values() if key]
    demand(len(set(given)) == len(given), f"two webhooks have one key: {keys}")


@CHECKS.add()
def the_order_of_webhooks_changes_nothing(probe: ProviderProbe) -> None:
    """What one tells does not depend on those read before it, nor on the order of fields in it."""
    _, webhooks = parts_of(probe)
    requests = [request_of(webhooks, sample) for sample in webhooks.samples]
    forwards = [read(probe, request) for request in requests]
    backwards = [read(probe, request) for request in reversed(requests)]
    demand(forwards == backwards[::-1], "what a webhook tells depends on those before it")
    for sample, told in zip(webhooks.samples, forwards, strict=True):
        turned = replace(sample, body=_turned(sample))
        request = request_of(webhooks, turned)
        demand(verify(probe, request), f"{sample.name!r} with its fields in another order is refused")
        demand(read(probe, request) == told, f"{sample.name!r} with its fields in another order tells something else")


def _turned(sample: WebhookSample) -> bytes:
    """The same body with its fields in the opposite order."""
    if sample.media_type == "application/json":
        return json.dumps(_reversed(json.loads(sample.body)), ensure_ascii=False).encode()
    return b"&".join(reversed(sample.body.split(b"&")))


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(one) for one in value] if isinstance(value, list) else value


@CHECKS.add(is_batched)
def one_bad_event_of_a_batch_spoils_no_other(probe: ProviderProbe) -> None:
    """Of several events in one request, those that can be read count, in order; the bad one is kept as unreadable."""
    _, webhooks = parts_of(probe)
    batch = webhooks.batch
    if batch is None:
        return
    parts, events = [part for part, _ in batch.parts], [event for _, event in batch.parts]
    whole = WebhookSample(name="a batch", body=batch.join(parts))
    demand_events(read(probe, request_of(webhooks, whole)), events, "a batch")
    for bad in batch.bad:
        for place in range(len(parts) + 1):
            mixed = WebhookSample(name="a batch", body=batch.join([*parts[:place], bad, *parts[place:]]))
            found = read(probe, request_of(webhooks, mixed))
            readable = [event for event in found if not isinstance(event, UnreadableReport)]
            demand_events(readable, events, f"a batch with {bad!r} at {place}")
            demand(len(found) > len(readable), f"a batch with {bad!r} at {place}: it is lost instead of being kept")


@CHECKS.add()
def what_is_new_is_kept(probe: ProviderProbe) -> None:
    """An event or a status that nobody has described yet becomes an `UnreadableReport` or an `AccountNotice`."""
    _, webhooks = parts_of(probe)
    demand(webhooks.unknown, "no webhooks of an unknown kind are described, in `unknown`")
    for sample in webhooks.unknown:
        request = request_of(webhooks, sample)
        demand(verify(probe, request), f"{sample.name!r} is genuine, and is refused")
        found = read(probe, request)
        kept = [event for event in found if isinstance(event, UnreadableReport | AccountNotice)]
        demand(kept, f"{sample.name!r} is not kept: {found}")
        demand(
            not [event for event in found if isinstance(event, DeliveryReceipt)],
            f"{sample.name!r} is taken for a receipt",
        )


@CHECKS.add()
def an_old_webhook_is_told_with_its_own_time(probe: ProviderProbe) -> None:
    """Providers deliver again for days: what is old counts, unless its age is signed and too high."""
    reader, webhooks = parts_of(probe)
    for sample in webhooks.samples:
        request = request_of(webhooks, sample)
        week_later = NOW + 7 * 86_400
        accepted = reader.verify(request, (SECRET,), webhooks.lane, week_later)
        if webhooks.signs_time is not None:
            demand(not accepted, f"{sample.name!r} is a week old by its signed time, and is accepted")
            continue
        demand(accepted, f"{sample.name!r} comes a week late, and is refused")
        later = list(reader.read(request, webhooks.lane, week_later))
        demand_events(later, sample.events, f"{sample.name}, a week late")


@CHECKS.add()
def a_wrong_content_type_does_no_harm(probe: ProviderProbe) -> None:
    """Whatever the header says, nothing is raised, and nothing false is told."""
    _, webhooks = parts_of(probe)
    for sample in webhooks.samples:
        told = read(probe, request_of(webhooks, sample))
        for media_type in (
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json",
            "image/png",
            ";;",
        ):
            found = read(probe, request_of(webhooks, replace(sample, media_type=media_type)))
            false = [
                event
                for event in found
                if event not in told and not isinstance(event, UnreadableReport | AccountNotice)
            ]
            demand(not false, f"{sample.name!r} as {media_type!r} tells {false}")


@CHECKS.add(has_webhooks)
def nothing_of_a_webhook_is_kept_too_long_or_shows_a_secret(probe: ProviderProbe) -> None:
    """Details are short, and no webhook secret is told."""
    _, webhooks = parts_of(probe)
    for sample in (*webhooks.samples, *webhooks.unknown):
        for event in read(probe, request_of(webhooks, sample)):
            detail = str(getattr(event, "detail", ""))
            demand(len(detail) <= 200, f"{sample.name!r}: a detail has {len(detail)} characters")  # noqa: PLR2004
            for secret in (SECRET, *probe.secrets):
                demand(secret not in repr(event), f"{sample.name!r} tells a secret")
