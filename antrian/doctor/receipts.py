"""Whether what providers report can arrive: webhook secrets, the server that takes them, and its address."""

from collections.abc import Iterator

import requests

from antrian.doctor.finding import Finding, ok, problem, warning
from antrian.domain.settings import Settings
from antrian.providers.receipt_readers import READERS
from antrian.receipts.webhooks import SIGN_THEIR_ADDRESS, why_not

SUBJECT = "receipts"

_TIMEOUT = 3.0
#: What a server listens on, and where it is then asked.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (what is looked for, not what is listened on)
_OK = 200


def has_webhooks(settings: Settings) -> bool:
    """Whether any lane has a webhook."""
    return any(lane.webhook_secrets for lane in settings.lanes.values())


def check_settings(settings: Settings) -> Iterator[Finding]:
    """What keeps webhooks from being served, or from being proved."""
    for fault in why_not(settings.lanes, READERS):
        yield problem(
            SUBJECT,
            f"Webhooks cannot be served: {fault}.",
            "Correct it; docs/howto/receipts.md says how secrets are made.",
        )
    lanes = [
        lane.name for lane in settings.lanes.values() if lane.provider in SIGN_THEIR_ADDRESS and lane.webhook_secrets
    ]
    if lanes and settings.receipts_public_url is None:
        yield problem(
            SUBJECT,
            f"The provider of {', '.join(lanes)} signs the address that it calls, and RECEIPTS_PUBLIC_URL is not set: "
            "its receipts would be taken for forged ones.",
            "Set RECEIPTS_PUBLIC_URL to the address before /receipts/, as the provider calls it.",
        )


def look(settings: Settings) -> tuple[str, bool]:
    """Host and port of the receipts server, and whether it answers."""
    host = _EVERYWHERE.get(settings.receipts_host, settings.receipts_host)
    where = f"[{host}]:{settings.receipts_port}" if ":" in host else f"{host}:{settings.receipts_port}"
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"http://{where}/healthz", timeout=_TIMEOUT, allow_redirects=False)
    except (requests.RequestException, OSError, ValueError):
        return where, False
    return where, answer.status_code == _OK


def check_server(where: str, *, answers: bool) -> Finding:
    """What it means whether the server answers."""
    if answers:
        return ok(SUBJECT, f"The receipts server answers at {where}.")
    return warning(
        SUBJECT,
        f"Lanes have webhook secrets, and no receipts server answers at {where}.",
        "Start `antrian receipts`, or set RECEIPTS_HOST and RECEIPTS_PORT to where it runs.",
    )
