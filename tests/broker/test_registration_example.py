"""The example of a registration service, run as it is."""

import os
import subprocess
import sys
from pathlib import Path

from queue_fixture import Stock

from antrian.domain.settings import Settings

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "registration.py"


def test_registration_shows_the_link_and_queues_one_message(settings: Settings) -> None:
    stock = Stock(settings)
    variables = {
        "AMQP_URL": settings.amqp_urls[0],
        "WHATSAPP_QUEUE_NAMESPACE": settings.whatsapp_queue_namespace,
        "WHATSAPP_SENDER": "628114040707",
        "PATH": os.defpath,
    }
    done = subprocess.run(
        [sys.executable, EXAMPLE, "0812-3456-7890", "17"],
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    (message,) = stock.in_lane()

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Show: https://wa.me/628114040707?text=Halo%2C%20saya%20mendaftar%20dengan%20nomor%2017.",
        f"Queued: {message.message_id}",
    ]
    assert message.body.phone_number == "+6281234567890"
