import json

import pytest
import typer
from followed import catch_up
from queue_fixture import Stock
from typer.testing import CliRunner

from antrian.cli.history import history_app
from antrian.cli.report import report
from antrian.domain.errors import AntrianError, CommandFailed, WrongUse
from antrian.history.follower import HistoryFollower
from antrian.history.queries.history import history_path


@pytest.fixture
def settings(settings):
    """Classic lanes: what the queues are made of makes no difference here."""
    return settings.model_copy(update={"whatsapp_queue_type": "classic"})


#: All commands that read the history, as `antrian` has them.
APP = typer.Typer()
APP.add_typer(history_app, name="history")
APP.command()(report)


@pytest.fixture
def call(stock: Stock, monkeypatch):
    """Run `antrian history …`, or another command by name; what it prints, or the error that it ends in."""
    monkeypatch.setenv("AMQP_URL", stock.settings.amqp_urls[0])
    monkeypatch.setenv("ANTRIAN_HOME", str(stock.settings.antrian_home))
    monkeypatch.setenv("WHATSAPP_QUEUE_NAMESPACE", stock.settings.whatsapp_queue_namespace)

    def run(*arguments: str, command: str = "history"):
        result = CliRunner().invoke(APP, [command, *arguments])
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
    text = call("m1")
    assert "queued" in text
    assert "Waiting for" in text


def test_the_rounds_of_an_outage_are_one_line(stock, call):
    stock.add_waiting("m1")
    for _ in range(9):
        stock.tell("outcome.sending", "m1")
        stock.tell("outcome.failed", "m1", failure_class="unavailable", code="provider-down", detail="HTTP 503", hold=1)
    text = call("m1")
    assert text.count("provider-down") == 2  # the card's line and the life's
    assert "9 rounds while the provider was away" in text
    assert "8b0f6c55" not in text


def test_a_report_says_the_same_in_words_as_json_and_as_csv(stock, call):
    stock.add_waiting("m1", "m2")
    answer = call("--json", command="report")
    assert (answer["period"], answer["totals"]["sent"], answer["waiting"]) == ("today", 0, 2)
    assert "Today: nothing was sent.\n2 waiting now." in call(command="report")
    assert call("--csv", "--period", "7d", command="report").splitlines()[1] == "total,7d,0,0,,,,,0,,,,,,,,,"
    with pytest.raises(WrongUse, match="Mars"):
        call("--timezone", "Mars/Olympus", command="report")


def test_an_unknown_id_is_said_to_be_unknown(call):
    with pytest.raises(CommandFailed, match="no message has the id m9"):
        call("m9")


def test_messages_are_searched(stock, call):
    stock.add_waiting("m1", "m2", "m3")
    answer = call("search", "--text", "text", "--status", "waiting", "--since", "1h", "--limit", "2", "--json")
    assert [one["message_id"] for one in answer["messages"]] == ["m3", "m2"]
    assert answer["more"] is True
    assert "1 messages." in call("search", "--key", "m2")
    assert call("search", "--number", "0812 9999 9999", "--json")["messages"] == []


def test_a_search_masks_numbers_unless_it_is_told_to_show_them(stock, call):
    stock.add_waiting("m1")
    assert "+62 812-••••-7890" in call("search")
    assert "+6281234567890" in call("search", "--show-numbers")
    masked, full = (call("search", *more, "--json") for more in ([], ["--show-numbers"]))
    assert (masked["numbers"], masked["messages"][0]["phone_number"]) == ("masked", "+62 812-••••-7890")
    assert (full["numbers"], full["messages"][0]["phone_number"]) == ("full", "+6281234567890")


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
