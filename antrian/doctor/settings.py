"""Settings that are allowed and probably not meant. What is not allowed stops every program at its start."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from antrian.doctor import lanes
from antrian.doctor.finding import Finding, ok, problem, warning
from antrian.domain.lane import Lane
from antrian.domain.settings import Settings
from antrian.providers.http import is_loopback

SUBJECT = "settings"

#: Seconds between sends below which WhatsApp is known to take notice of a sender.
SHORTEST_SAFE_DELAY = 5.0

#: Minutes after which RabbitMQ takes a message back from its consumer, unless `consumer_timeout` says otherwise.
BROKERS_TIME_OUT = 30.0

#: Seconds between heartbeats above which a consumer that vanished is noticed late.
LONGEST_HEARTBEAT = 30

_HTTP, _AMQP = "http", "amqp"


def check(settings: Settings) -> list[Finding]:
    """What is suspicious about the settings."""
    suspicions = [*_paces(settings), *lanes.check(settings), *_times(settings), *_network(settings)]
    return suspicions or [ok(SUBJECT, "The settings look right.")]


def _paces(settings: Settings) -> Iterator[Finding]:
    """What is suspicious about the lanes' paces, once for all lanes of one pace."""
    by_pace: dict[tuple[bool, float, float], list[Lane]] = {}
    for lane in settings.lanes.values():
        pace = (lane.delay, lane.jitter) if not lane.is_sandbox or lane.jitter > lane.delay else (0.0, 0.0)
        by_pace.setdefault((lane.is_sandbox, *pace), []).append(lane)
    for same in by_pace.values():
        yield from _pace(same[0], lanes.Wording.of(settings, same))


def _pace(lane: Lane, words: "lanes.Wording") -> Iterator[Finding]:
    delay, jitter = lane.delay, lane.jitter
    if lane.is_sandbox:
        yield ok(SUBJECT, f"{words('provider')} is sandbox: nothing reaches WhatsApp.")
    elif delay == 0:
        yield problem(
            SUBJECT,
            f"{words('delay')} is 0, and a real provider sends: there is no pause at all.",
            f"Set {words('delay')} to 10, before WhatsApp blocks the sender.",
        )
    elif delay < SHORTEST_SAFE_DELAY:
        yield warning(
            SUBJECT,
            f"{words('delay')} is {delay:g} s, and a real provider sends.",
            f"Set it to {SHORTEST_SAFE_DELAY:g} s or more, unless the provider allows less.",
        )
    if jitter > delay:
        yield warning(
            SUBJECT,
            f"{words('jitter')} ({jitter:g} s) is larger than the delay ({delay:g} s): pauses are mostly random.",
            f"Increase {words('delay')} instead; estimates of when a message goes out count the delay only.",
        )


def _times(settings: Settings) -> Iterator[Finding]:
    minutes = settings.whatsapp_queue_timeout_minutes
    if minutes > BROKERS_TIME_OUT:
        yield warning(
            SUBJECT,
            f"WHATSAPP_QUEUE_TIMEOUT_MINUTES is {minutes:g}, longer than RabbitMQ's consumer_timeout of 30.",
            "Set consumer_timeout in rabbitmq.conf to more than that, or the setting to 30 or less.",
        )
    if settings.whatsapp_queue_retention_days * 24 < settings.whatsapp_queue_dedupe_hours:
        yield warning(
            SUBJECT,
            "WHATSAPP_QUEUE_RETENTION_DAYS is shorter than WHATSAPP_QUEUE_DEDUPE_HOURS: keys outlive their messages.",
            "Increase WHATSAPP_QUEUE_RETENTION_DAYS, so that a refused duplicate can be explained.",
        )
    once = [lane for lane in settings.lanes.values() if lane.max_attempts == 1]
    if once:
        yield warning(
            SUBJECT,
            f"{lanes.Wording.of(settings, once)('max_attempts')} is 1: every temporary failure of the provider makes "
            "a dead letter.",
            "Set it to 3, unless dead letters are looked after all day.",
        )
    if settings.whatsapp_queue_heartbeat > LONGEST_HEARTBEAT:
        yield warning(
            SUBJECT,
            f"WHATSAPP_QUEUE_HEARTBEAT is {settings.whatsapp_queue_heartbeat} s: a standby takes over that much later.",
            "Set it to 10.",
        )


def _network(settings: Settings) -> Iterator[Finding]:
    in_clear = [lane for lane in settings.lanes.values() if _in_clear(lane.url, _HTTP)]
    if in_clear:
        yield warning(
            SUBJECT,
            f"{lanes.Wording.of(settings, in_clear)('url')} is http:// to another machine: key and messages can be "
            "read on the way.",
            "Use the provider's https:// address.",
        )
    if any(_in_clear(url, _AMQP) for url in settings.amqp_urls):
        yield warning(
            SUBJECT,
            "AMQP_URL is amqp:// to another machine: password and messages can be read on the way.",
            "Use amqps://, unless the network between them is yours alone.",
        )
    host = f"[{settings.admin_host}]" if ":" in settings.admin_host else settings.admin_host
    if not is_loopback(f"http://{host}"):
        yield warning(
            SUBJECT,
            f"ADMIN_HOST is {settings.admin_host}: the admin side serves plain HTTP to the network, without TLS.",
            "Listen on 127.0.0.1 behind a reverse proxy that does TLS, or only inside a private network.",
        )


def _in_clear(url: str | None, scheme: str) -> bool:
    return urlsplit(url or "").scheme == scheme and not is_loopback(url or "")
