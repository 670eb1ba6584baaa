import json

import pytest
from followed import catch_up
from stock import Stock
from typer.testing import CliRunner

from admin_api.history.commands import history_app
from admin_api.history.follower import HistoryFollower
from admin_api.history.store import history_path
from broker.errors import AntrianError, CommandFailed, WrongUse


@pytest.fixture
def settings(settings):
    """Classic lanes: what the queues are made of makes no difference here."""
    return settings.model_copy(update={"whatsapp_queue_type": "classic"})


@pytest.fixture
def call(stock: Stock, monkeypatch):
    """Run `antrian history …` against the test's broker; what it prints, or the error that it ends in."""
    monkeypatch.setenv("AMQP_URL", stock.settings.amqp_urls[0])
    monkeypatch.setenv("ANTRIAN_HOME", str(stock.settings.antrian_home))
    monkeypatch.setenv("WHATSAPP_QUEUE_NAMESPACE", stock.settings.whatsapp_queue_namespace)

    def run(*arguments: str):
        result = CliRunner().invoke(history_app, arguments)
        if isinstance(result.exception, AntrianError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    return run


def test_the_life_of_a_message_is_shown_by_its_id_alone(stock, call):
    stock.add_waiting("m1")
    answer = call("m1", "--json")
    assert (answer["message_id"], answer["state"], answer["text"]) == ("m1", "waiting", "text m1")
    assert [entry["name"] for entry in answer["life"]] == ["message.queued"]
    assert call("--json", "m1") == answer
    assert "message.queued" in call("m1")


def test_an_unknown_id_is_said_to_be_unknown(call):
    with pytest.raises(CommandFailed, match="no message has the id m9"):
        call("m9")


def test_messages_are_searched(stock, call):
    stock.add_waiting("m1", "m2", "m3")
    answer = call("search", "--text", "text", "--status", "waiting", "--since", "1h", "--limit", "2", "--json")
    assert [one["message_id"] for one in answer["messages"]] == ["m3", "m2"]
    assert answer["more"] is True
    assert "1 messages." in call("search", "--key", "m2")
    assert call("search", "--number", "0812 9999 9999", "--json") == {"messages": [], "more": False}


@pytest.mark.parametrize("when", ["yesterday", "2026-01-31", "", "5x"])
def test_a_time_that_cannot_be_read_is_wrong_use(call, when):
    with pytest.raises(WrongUse):
        call("search", "--since", when)


def test_the_history_is_made_again_on_request(stock, call):
    stock.add_waiting("m1", "m2")
    assert call("rebuild", "--json")["entries"] == 2
    assert "2 journal entries" in call("rebuild")
    assert call("m2", "--json")["state"] == "waiting"


def test_commands_work_beside_a_process_that_writes(stock, call):
    path = history_path(stock.settings)
    follower = HistoryFollower(stock.settings, path, urls=stock.settings.amqp_urls, quiet=True)
    follower.start()
    try:
        catch_up(follower)
        stock.add_waiting("m1")
        assert call("m1", "--json")["state"] == "waiting"
        assert call("rebuild", "--json")["entries"] == 1
        stock.add_waiting("m2")
        assert call("m2", "--json")["state"] == "waiting"
        assert follower.is_writer
    finally:
        follower.stop(60)
