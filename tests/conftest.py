"""What every test may ask for: a real broker, a corner of it, and settings that point there."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broker.embedded import PrivateNode
from broker.settings import Settings, load_settings


@contextmanager
def _node_home() -> Iterator[Path]:
    # A node writes until its last moment; what it leaves after its stop is of no interest.
    with tempfile.TemporaryDirectory(prefix="antrian-test-", ignore_cleanup_errors=True) as home:
        yield Path(home)


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """Address of the broker that all tests of a run share; ANTRIAN_TEST_BROKER says where it comes from.

    `embedded` (default): a private node; `url`: the one at ANTRIAN_TEST_BROKER_URL. A missing broker fails the
    tests: one that is skipped proves nothing.
    """
    kind = os.environ.get("ANTRIAN_TEST_BROKER", "embedded")
    if kind == "url":
        yield os.environ["ANTRIAN_TEST_BROKER_URL"]
    elif kind == "embedded":
        with _node_home() as home:
            node = PrivateNode(home)
            try:
                yield node.start(tied_to_parent=True)
            finally:
                node.stop()
    else:
        pytest.fail(f"ANTRIAN_TEST_BROKER={kind}: must be embedded or url")


@pytest.fixture
def own_node() -> Iterator[PrivateNode]:
    """A started private node of the test's own, which it may kill, stop and start (about 6 s)."""
    with _node_home() as home:
        node = PrivateNode(home)
        try:
            node.start(tied_to_parent=True)
            yield node
        finally:
            node.stop()


@pytest.fixture
def namespace() -> str:
    """A prefix for exchanges and queues that no other test uses."""
    return f"t{secrets.token_hex(4)}"


@pytest.fixture
def settings(broker_url: str, namespace: str) -> Settings:
    """Settings of one test: the shared broker, a namespace of its own, and pauses short enough to wait for."""
    return load_settings(
        {
            "AMQP_URL": broker_url,
            "WHATSAPP_QUEUE_NAMESPACE": namespace,
            "WHATSAPP_QUEUE_DELAY": "0.3",
            "WHATSAPP_QUEUE_RETRY_DELAYS": "1",
        },
    )
