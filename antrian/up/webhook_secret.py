"""The webhook secret that `antrian up` makes for a sandbox, so that receipts need no set-up."""

import os
import secrets
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from antrian.domain.errors import AntrianError
from antrian.domain.settings import Settings

_FILE: Final = "webhook-secret"


def with_webhook_secret(settings: Settings) -> tuple[Settings, str]:
    """The settings with a secret for the sandbox's webhooks, where they have none; and that secret, empty else.

    It is kept in the folder of `ANTRIAN_HOME`, for the next start: the sandbox's receipts of messages that it was given
    before would be forged ones otherwise.

    Raises:
        AntrianError: the file cannot be read or written.
    """
    is_missing = settings.whatsapp_webhook_secret is None and settings.whatsapp_queue_lanes_file is None
    if not is_missing or not settings.lanes.first.is_sandbox:
        return settings, ""
    path = settings.antrian_home / _FILE
    try:
        secret = _kept(path)
    except OSError as error:
        raise AntrianError(f"the webhook secret in {path} cannot be kept: {error.strerror or error}") from error
    return settings.model_copy(update={"whatsapp_webhook_secret": SecretStr(secret)}), secret


def _kept(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and (kept := path.read_text(encoding="utf-8").strip()):
        return kept
    made = secrets.token_hex(32)
    # Written aside first: half a secret must not be found by another process, nor one that others may read.
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{made}\n")
    aside.replace(path)
    return made
