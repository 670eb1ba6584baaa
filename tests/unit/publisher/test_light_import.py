"""`pip install antrian` brings four libraries, and a publishing service needs no more."""

import subprocess
import sys
from importlib.metadata import packages_distributions

LIGHT = {
    "pika",
    "pydantic",
    "pydantic_settings",
    "phonenumbers",
    # What these bring along.
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
    "dotenv",
    # Ours.
    "broker",
    "publisher",
}

HEAVY = {*packages_distributions(), "admin_api", "antrian", "consumer", "sandbox"} - LIGHT

PROGRAM = f"""
import sys

class OnlyTheLight:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ImportError(name + " is not among the dependencies of a publisher")

sys.meta_path.insert(0, OnlyTheLight())

from publisher import MessageRequest, Publisher

with Publisher(source="registration") as publisher:
    publisher._compose(MessageRequest(phone_number="081234567890", message="Halo"))
"""


def test_a_publisher_needs_only_the_four_libraries_that_come_with_it() -> None:
    environment = {"AMQP_URL": "amqp://127.0.0.1:1/", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_heavy_ones_are_there_to_be_missed() -> None:
    assert {"typer", "rich", "requests", "structlog", "psutil"} <= HEAVY
