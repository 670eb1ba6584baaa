"""One key, one message."""

import pytest
from factories import NOW, PHONE

from admin_api.idempotency import IdempotencyKeys, KeyReused
from antrian.domain.message import new_message
from antrian.history.queries.history import History

MESSAGE = new_message(PHONE, "Halo", source="shop", now=NOW, idempotency_key="k1")


@pytest.fixture
def keys(tmp_path):
    return IdempotencyKeys(History(tmp_path / "history-wa.db"), 3600.0)


def test_a_request_that_comes_at_the_same_time_gets_the_same_id(keys):
    first, second = (keys.claim("shop", "k1", "body", MESSAGE) for _ in range(2))
    assert first.message_id == second.message_id
    with pytest.raises(KeyReused):
        keys.claim("shop", "k1", "another body", MESSAGE)


def test_a_key_is_free_again_when_its_message_was_not_accepted(keys):
    keys.release(keys.claim("shop", "k1", "body", MESSAGE))
    keys.claim("shop", "k1", "another body", MESSAGE)


def test_a_repetition_that_fails_does_not_free_the_key(keys):
    keys.claim("shop", "k1", "body", MESSAGE)
    keys.release(keys.claim("shop", "k1", "body", MESSAGE))
    with pytest.raises(KeyReused):
        keys.claim("shop", "k1", "another body", MESSAGE)


def test_a_key_belongs_to_its_service(keys):
    keys.claim("shop", "k1", "body", MESSAGE)
    assert keys.claim("payment", "k1", "another body", MESSAGE).is_first
