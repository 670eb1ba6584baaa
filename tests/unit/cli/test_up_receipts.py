"""What `antrian up` makes of receipts: a secret of its own, and where the sandbox's webhooks go."""

import stat

import pytest

from antrian.domain.settings import load_settings
from antrian.providers.receipt_readers import READERS
from antrian.providers.webhook import DEMO_SECRET, path_secret
from antrian.receipts.webhooks import why_not
from antrian.up.sandbox_webhooks import webhooks_of
from antrian.up.webhook_secret import with_webhook_secret

SECRET = "a-secret-of-the-lanes"


def settings_of(folder, **more):
    return load_settings({"ANTRIAN_HOME": str(folder), "WHATSAPP_PROVIDER": "sandbox"} | more)


def test_a_sandbox_without_a_secret_gets_one_and_keeps_it(tmp_path):
    settings, secret = with_webhook_secret(settings_of(tmp_path / "home"))
    file = tmp_path / "home" / "webhook-secret"

    assert [one.get_secret_value() for one in settings.lanes.first.webhook_secrets] == [secret]
    assert len(secret) == 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert with_webhook_secret(settings_of(tmp_path / "home"))[1] == secret
    assert [path.name for path in file.parent.iterdir()] == ["webhook-secret"]


@pytest.mark.parametrize(
    "more",
    [
        {"WHATSAPP_WEBHOOK_SECRET": SECRET},
        {"WHATSAPP_PROVIDER": "mpwa"},
    ],
)
def test_a_secret_that_is_set_and_a_real_provider_are_left_alone(tmp_path, more):
    settings = settings_of(tmp_path, **more)

    assert with_webhook_secret(settings) == (settings, "")
    assert not (tmp_path / "webhook-secret").exists()


def test_each_lane_has_its_own_address(tmp_path):
    lanes = settings_of(
        tmp_path, WHATSAPP_WEBHOOK_SECRET=f"{SECRET},an-older-secret", WHATSAPP_QUEUE_LANES="one=628110000001,two"
    ).lanes
    targets = webhooks_of(lanes, "http://host:8090/")

    assert [(one.provider, one.sender, one.secret) for one in targets] == [
        ("sandbox", "628110000001", SECRET),
        ("sandbox", "6281100000000", SECRET),
    ]
    assert targets[1].url == f"http://host:8090/receipts/two/{path_secret(SECRET, 'two')}"


def test_a_lane_in_another_dialect_is_reported_in_it_and_a_real_one_is_not(tmp_path):
    file = tmp_path / "lanes.toml"
    file.write_text(
        f"""
[lanes.tried]
provider = "waha"
url = "http://127.0.0.1:8089/dialect/waha"
key = "key"
sender = "628110000001"
webhook_secrets = ["{SECRET}"]

[lanes.real]
provider = "waha"
url = "https://waha.example.com"
key = "key"
sender = "628110000002"
webhook_secrets = ["{SECRET}"]
"""
    )
    targets = webhooks_of(settings_of(tmp_path, WHATSAPP_QUEUE_LANES_FILE=str(file)).lanes, "http://host:8090")

    assert [(one.provider, one.sender, one.url.split("/")[4]) for one in targets] == [("waha", "default", "tried")]


@pytest.mark.parametrize(("provider", "is_refused"), [("sandbox", False), ("meta_cloud", True)])
def test_the_secret_of_the_compose_file_is_good_for_the_sandbox_alone(tmp_path, provider, is_refused):
    lanes = settings_of(
        tmp_path,
        WHATSAPP_PROVIDER=provider,
        WHATSAPP_WEBHOOK_SECRET=DEMO_SECRET,
        WHATSAPP_API_KEY="key",
        WHATSAPP_SENDER="628110000001",
        WHATSAPP_PROVIDER_OPTIONS="phone_number_id=1066",
    ).lanes

    assert bool(why_not(lanes, READERS)) is is_refused
