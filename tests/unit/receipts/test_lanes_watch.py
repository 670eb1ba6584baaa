from pathlib import Path

import pytest

from antrian.domain.errors import SettingsError
from antrian.domain.settings import load_settings
from antrian.providers.webhook import WebhookReader
from antrian.receipts.lanes_watch import LanesWatch
from antrian.receipts.process import check_lanes

READERS = dict.fromkeys(("sandbox", "meta_cloud"), WebhookReader(lambda *_: True, lambda *_: ()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("a-first-secret")
    (tmp_path / "lanes.toml").write_text('[lanes.a]\nprovider = "sandbox"\nwebhook_secrets_file = "secret"\n')
    return tmp_path


def test_files_are_read_again_when_they_change_and_wrong_ones_change_nothing(folder: Path):
    variables = {"WHATSAPP_QUEUE_LANES_FILE": str(folder / "lanes.toml")}
    taken = []

    def take(lanes) -> None:
        check_lanes(lanes, READERS)
        taken.append([secret.get_secret_value() for secret in lanes["a"].webhook_secrets])

    watch = LanesWatch(load_settings(variables), take, lambda: load_settings(variables))
    watch.look()
    assert taken == []
    (folder / "secret").write_text("a-first-secret\nand-a-second-one\n")
    watch.look()
    watch.look()
    assert taken == [["a-first-secret", "and-a-second-one"]]
    for wrong in ("secret", ""):
        (folder / "secret").write_text(wrong)
        watch.look()
    (folder / "secret").unlink()
    watch.look()
    (folder / "lanes.toml").write_text("[lanes.a\n")
    watch.look()
    assert len(taken) == 1
    (folder / "lanes.toml").write_text('[lanes.a]\nprovider = "sandbox"\nwebhook_secrets = ["a-third-secret"]\n')
    watch.look()
    assert taken[1:] == [["a-third-secret"]]


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "no lane has a webhook secret: set WHATSAPP_WEBHOOK_SECRET; `openssl rand -hex 32` makes one"),
        ({"WHATSAPP_WEBHOOK_SECRET": "short"}, "WHATSAPP_WEBHOOK_SECRET: secret 1 is shorter than 8 characters"),
        ({"WHATSAPP_WEBHOOK_SECRET": "a-fine-secret,ChangeMe"}, "secret 2 is a word that everyone knows"),
        (
            {"WHATSAPP_WEBHOOK_SECRET": "a-fine-secret", "WHATSAPP_PROVIDER": "mpwa"},
            "the provider mpwa has no webhooks that can be read",
        ),
        (
            {"WHATSAPP_WEBHOOK_SECRET": "a-fine-secret", "WHATSAPP_PROVIDER": "meta_cloud"},
            "the provider meta_cloud also needs phone_number_id",
        ),
    ],
)
def test_what_cannot_be_served_is_said_in_one_sentence(variables, reason):
    settings = load_settings({"WHATSAPP_PROVIDER": "sandbox"} | variables)
    with pytest.raises(SettingsError, match=reason) as raised:
        check_lanes(settings.lanes, READERS)
    assert "a-fine-secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
