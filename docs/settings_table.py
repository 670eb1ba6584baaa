"""The settings page: one row for every field of `antrian.domain.settings.Settings`."""

from string import Template
from typing import Any

from generated import TEMPLATES, documented, table
from pydantic.fields import FieldInfo

from antrian.domain.settings import Settings

#: What a field means, unless it has a description of its own.
MEANINGS = {
    "amqp_url": "Where RabbitMQ is: `amqp://` or `amqps://`; several addresses, comma-separated, for a cluster.",
    "whatsapp_api_key": "Key for the WhatsApp provider.",
    "whatsapp_sender": "Number that messages are sent from: digits with the country code, `62…`.",
    "whatsapp_api_url": "Base address of the provider, `http://` or `https://`.",
    "whatsapp_provider": "Which adapter sends. `make run` uses `sandbox`.",
    "whatsapp_webhook_secret": "What the provider signs its webhooks with (or what their address is made of, where it "
    "signs nothing); several with commas while one is replaced.",
    "whatsapp_provider_options": "What else the provider wants to know: `name=value,name=value`.",
    "whatsapp_queue_delay": "Pause in seconds between the end of one send and the start of the next, per lane. "
    "Decimals are allowed; `0` is no pacing, for benchmarks.",
    "whatsapp_queue_jitter": "Up to so many seconds more, at random, never less. Without it, as the preset says.",
    "whatsapp_queue_max_attempts": "Attempts in all before a message becomes a dead letter.",
    "whatsapp_queue_retry_delays": "Seconds before attempt 2, 3, …, comma-separated; the last one repeats.",
    "whatsapp_queue_timeout_minutes": "Longest time that a message is held in processing. "
    "Must not pass the broker's own consumer time-out, which is 30 minutes unless changed there.",
    "whatsapp_queue_namespace": "Prefix of the name of every exchange and queue.",
    "whatsapp_queue_lanes": "The lanes, comma-separated: `name`, or `name=6281…` for one with a sender number "
    "of its own. Each has its own queue and its own pace.",
    "whatsapp_queue_lanes_file": "Path of `lanes.toml`, which describes the lanes in place of the variables "
    "(docs/howto/lanes.md).",
    "whatsapp_queue_preset": "Named set of the next five: `none`, `new-number` or `settled`. "
    "What each is for: docs/howto/number.md.",
    "whatsapp_queue_daily_cap": "Most messages a day; `0` is no cap. Without it, as the preset says.",
    "whatsapp_queue_hourly_cap": "Most messages an hour; `0` is no cap.",
    "whatsapp_queue_cold_daily_cap": "Most messages a day to people who never wrote and were never written to; "
    "`0` is no cap.",
    "whatsapp_queue_warm_up": "How that cap grows for a new number: `20x1.5..100` is the cap on day 1, the factor a "
    "day, the ceiling.",
    "whatsapp_queue_recipient_gap": "Seconds between two messages to one person.",
    "whatsapp_queue_cold_failures": "Messages to so many new contacts that fail in a row, while one to a known contact "
    "is sent, are taken for a refusal of new contacts; `0`: never.",
    "whatsapp_queue_window": "When messages may be sent, by priority: `low=08:00-20:00,normal=06:00-22:00`; a priority "
    "that is not named is sent always.",
    "whatsapp_queue_timezone": "Whose days and hours these are.",
    "whatsapp_queue_type": "`classic`, or `quorum` for clusters of RabbitMQ 4.3 or newer.",
    "whatsapp_queue_retention_days": "Days that the journal and the history keep.",
    "whatsapp_queue_contacts_days": "Days that contacts, opt-outs and slots are remembered.",
    "whatsapp_queue_dedupe_hours": "Hours that an idempotency key is remembered.",
    "whatsapp_queue_on_uncertain": "What happens to a message that may or may not have been sent: "
    "`resend` (counts as an attempt) or `dead-letter`.",
    "whatsapp_queue_receipt_wait": "How many seconds an attempt without an answer waits for its receipt before "
    "`WHATSAPP_QUEUE_ON_UNCERTAIN` decides, where the provider gives our id back and a webhook secret is set.",
    "whatsapp_queue_heartbeat": "Seconds between heartbeats on a broker connection.",
    "admin_host": "Address that the admin API listens on.",
    "admin_port": "Port of the admin API and dashboard.",
    "admin_trusted_proxies": "Addresses or networks of reverse proxies, comma-separated, whose `X-Forwarded-For` and "
    "`X-Forwarded-Proto` count; nobody else's do.",
    "admin_tokens_file": "File with the hashed API tokens and their roles.",
    "receipts_host": "Address that the server for providers' webhooks listens on.",
    "receipts_port": "Its port.",
    "receipts_public_url": "Its address as the provider calls it, such as `https://wa.example.com`; some sign it.",
    "receipts_trusted_proxies": "Addresses or networks of reverse proxies before it, comma-separated, whose "
    "`X-Forwarded-For` counts; nobody else's does.",
    "receipts_confirm_seconds": "How many seconds a request waits for the broker's confirm, 5 at most; then it is "
    "answered 503, and the provider repeats it.",
    "receipts_metrics_host": "Address that its metrics and `/readyz` listen on; in a container `0.0.0.0`.",
    "receipts_metrics_port": "Port of its metrics; `0` is off.",
    "opt_out_language": "Language of the one answer to a word such as STOP: `id` or `en`.",
    "callback_url": "Where messages of people are passed on to, as Standard Webhooks; without it they are dropped.",
    "callback_secret": "Signs what is passed on; `whsec_…`; several with commas while one is replaced.",
    "callback_sources": "Who is told how their messages fare: `source=https://…,source=https://…`.",
    "consumer_metrics_host": "Address that the consumer's metrics and `/healthz` listen on; in a container `0.0.0.0`.",
    "consumer_metrics_port": "Port of the consumer's metrics; `0` is off.",
    "sandbox_port": "Port of the sandbox provider.",
    "antrian_log_format": "`json`, `pretty`, or `auto`: pretty on a terminal, JSON everywhere else.",
    "antrian_log_level": "Least level that is logged: `debug`, `info`, `warning` or `error`.",
    "antrian_home": "Folder for what Antrian keeps on this machine: the private broker node, tokens, the history.",
}

#: Defaults that are a rule and not a value.
_DEFAULTS = {
    "amqp_url": "a private node",
    "admin_tokens_file": "`tokens.toml` in `ANTRIAN_HOME`",
    "antrian_home": "`.antrian` in the checkout, else in the working folder",
}


def page() -> str:
    """docs/reference/settings.md.

    Raises:
        LookupError: a setting has no meaning here, or a meaning has no setting.
    """
    fields = Settings.model_fields
    described = {name for name, field in fields.items() if field.description}
    documented("settings", set(fields) - described, set(MEANINGS) - described)
    rows = [
        (f"`{name.upper()}`", _default(name, field), field.description or MEANINGS[name])
        for name, field in fields.items()
    ]
    template = Template((TEMPLATES / "settings.md").read_text(encoding="utf-8"))
    return template.substitute(settings=table(("variable", "default", "meaning"), rows))


def _default(name: str, field: FieldInfo) -> str:
    if name in _DEFAULTS:
        return _DEFAULTS[name]
    if field.default is None or field.get_default(call_default_factory=True) in ({}, ()):
        return "none"
    return f"`{_spelled(field.default)}`"


def _spelled(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
