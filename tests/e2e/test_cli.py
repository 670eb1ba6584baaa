"""Every command as a user runs it; `test_cli_bad_input` has what goes wrong."""

import csv
import json
import re
import signal
import subprocess

import pytest
from antrian_process import AntrianProcess
from cli import Cli, TerminalCommand
from queue_fixture import ids
from tcp_proxy import proxy_before

from antrian.broker.connection import open_channel
from antrian.sandbox.behaviour import Mode, ModeName
from waiting import wait_until


@pytest.fixture
def bare(settings) -> Cli:
    """On a broker without any topology."""
    return Cli(settings)


def test_topology_is_planned_applied_and_then_as_it_should_be(bare):
    assert "will be created" in bare.say("topology", "plan")
    assert "have been created" in bare.say("topology", "apply")
    assert "nothing to do" in bare.say("topology", "plan")
    assert "Nothing to do" in bare.say("topology", "apply")
    assert {one["status"] for one in bare.json("topology", "plan")["objects"]} == {"same"}


def test_a_changed_queue_is_explained_and_can_be_replaced(cli, stock):
    dead = stock.names.dead
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_delete(dead)
        channel.queue_declare(dead, durable=True, arguments={"x-max-length": 7})
    assert f"antrian topology apply --replace {dead}" in cli.say("topology", "plan", code=1)
    assert "x-max-length" in cli.run("topology", "apply").stderr
    assert cli.json("topology", "apply", "--replace", dead)["replaced"] == [dead]
    assert not cli.json("topology", "plan")["differs"]


def test_publish_prints_a_receipt(cli, stock):
    receipt = cli.json("publish", "0812-3456-7890", "Halo", "--priority", "high", "--key", "k1", "--source", "payment")
    [message] = stock.in_lane()
    assert message.message_id == receipt["message_id"]
    assert (message.priority, message.body.source, message.body.idempotency_key) == (9, "payment", "k1")
    assert message.body.phone_number == "+6281234567890"


def test_publish_reads_the_text_from_stdin(cli, stock):
    assert "is in the queue of lane default" in cli.say("publish", "081234567890", "-", stdin="Halo\nAni\n")
    assert stock.in_lane()[0].body.message == "Halo\nAni"


def test_publish_can_wait_for_a_time_and_expire(cli, stock):
    assert "waits for its time" in cli.say("publish", "081234567890", "x", "--at", "+1h", "--expires", "in 2h")
    assert (stock.count(stock.names.lane("default")), stock.delayed()) == (0, 1)


def test_publish_and_wait_tells_the_outcome(cli, consumer):
    consumer()
    assert "is sent at attempt 1" in cli.say("publish", "081234567890", "x", "--wait")
    rejected = cli.json("publish", "081234569001", "x", "--wait", "--timeout", "100", code=1)
    assert rejected["status"] == "dead"


def test_a_wait_that_is_over_says_that_nobody_knows_yet(cli):
    assert cli.json("publish", "081234567890", "x", "--wait", "--timeout", "0.1", code=1)["status"] == "pending"


def test_status_counts_what_is_there(cli, stock):
    stock.add_waiting("m1", "m2")
    stock.add_delayed("m3")
    stock.add_dead("m4")
    status = cli.json("status")
    assert (status["queue_length"], status["scheduled"], status["failed_messages"]) == (2, 1, 1)
    assert (status["is_processing"], status["next_send_reason"]) == (False, "no-consumer")
    assert status["estimated_time"] is None
    assert "no consumer is running" in cli.say("status")


def test_status_watch_counts_down_and_ends_with_ctrl_c(cli, consumer, publisher):
    # One pause, below the minute from which on it is told in minutes, and longer than this test.
    consumer(WHATSAPP_QUEUE_DELAY="59")
    with TerminalCommand(cli, "status", "--watch", WHATSAPP_QUEUE_DELAY="59") as watch:
        for number in range(3):
            publisher.queue_message("081234567890", f"text {number}")
        watch.wait_for("the pause after the last send")
        watch.wait_for("sent")

        def left():
            found = re.findall(r"in (\d+(?:\.\d)?) s: the pause after the last send", watch.text())
            return [float(seconds) for seconds in found]

        wait_until(lambda: len(set(left())) >= 4, 10, "the countdown goes on")
        assert left() == sorted(left(), reverse=True)
        assert "81234567890" not in watch.text()
        assert watch.interrupt() == 0


def test_status_watch_says_that_the_broker_is_gone_and_goes_on_when_it_is_back(cli, stock, broker_url):
    stock.add_waiting("m1")
    with (
        proxy_before(broker_url) as wire,
        TerminalCommand(cli, "status", "--watch", AMQP_URL=wire.through(broker_url)) as watch,
    ):
        watch.wait_for("no consumer is running")
        wire.shut()
        watch.wait_for("trying again")
        stock.add_waiting("m2")
        wire.open()
        watch.forget()
        wait_until(lambda: "waiting        2" in watch.text(), 10, "the new count is shown")
        assert watch.interrupt() == 0


def test_status_watch_prints_lines_where_there_is_no_terminal(cli):
    command = ["status", "--watch", "--json"]
    with AntrianProcess(command, env=cli.environment(), stdout=subprocess.PIPE, text=True) as watch:
        lines = [json.loads(watch.stdout.readline()) for _ in range(2)]
        watch.send_signal(signal.SIGINT)
        assert watch.wait(60) == 0
    assert lines[0]["at"] < lines[1]["at"]


def test_pause_and_resume_say_who_and_are_kept(cli):
    assert cli.say("pause") == "Lane default is paused now.\n"
    assert cli.say("pause") == "Lane default was paused already, by cli:ani.\n"
    assert cli.json("status")["paused_by"] == "cli:ani"
    assert cli.json("resume")["changed"]


def test_force_ends_the_pause_and_resumes_a_paused_lane(cli, consumer, publisher, arrivals):
    ours = consumer(WHATSAPP_QUEUE_DELAY="600")
    for number in range(3):
        publisher.queue_message("081234567890", f"text {number}")
    # A force ends a pause that has begun; one that comes before has nothing to end.
    wait_until(lambda: "message.sent" in ours.log(), 10, "the first is sent")
    told = {"lane": "default", "forced": True, "resumed": False, "ended": ["pause"], "waiting": 1}
    assert {**cli.json("force"), "waiting": 1} == told
    arrivals.wait_for(2, 5)
    wait_until(lambda: ours.log().count("message.sent") == 2, 5, "the second is sent")
    cli.say("pause")
    assert cli.say("force").startswith("Lane default is no longer paused. The pause after the last send has ended.")
    arrivals.wait_for(3, 5)


def test_force_says_when_nobody_hears_it(cli):
    assert cli.say("force", code=1) == (
        "No consumer is running, so nothing is sent: start one with `antrian consume`.\n"
    )


def test_force_says_that_there_is_nothing_to_end_and_nothing_waits(cli, consumer):
    consumer()
    assert cli.say("force") == "There was no wait to end in lane default. Nothing waits.\n"


def test_force_says_that_it_ended_the_wait_for_a_provider_that_is_away(cli, consumer, publisher, sandbox):
    sandbox.record.mode = Mode(ModeName.THROTTLE, seconds=600)
    publisher.queue_message("081234567890", "text")
    ours = consumer()
    wait_until(lambda: '"reason": "throttled"' in ours.log(), 10, "the lane waits for the provider")
    assert "The break that the provider asked for has ended." in cli.say("force")


def test_a_message_that_cannot_be_cancelled_says_why(cli, consumer, publisher, records, arrivals):
    done = cli.run("cancel", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no message has the id nobody" in done.stderr
    sent = publisher.queue_message("081234567890", "text").message_id
    consumer()
    records.wait_for_event("outcome.sent")
    assert "it was already sent" in cli.run("cancel", sent).stderr
    assert "it was already sent" in cli.run("cancel", "--undo", sent).stderr
    arrivals.settle()


def test_a_cancellation_can_be_taken_back(cli, publisher):
    message_id = publisher.queue_message("081234567890", "text").message_id
    assert "--undo" in cli.say("cancel", message_id)
    assert cli.json("history", message_id)["cancelling"]
    assert cli.json("cancel", "--undo", message_id)["cancelling"] is False


def test_clear_takes_out_one_source_and_says_how_to_take_that_back(cli, stock):
    stock.add_waiting("m1", source="campaign")
    stock.add_waiting("m2", source="registration", idempotency_key="r-1")
    assert cli.json("clear", "--source", "campaign", "--dry-run")["matching"] == 1
    refused = cli.run("clear", "--key-prefix", "r-", "--priority", "normal")
    assert (refused.returncode, "1 message; say so with --yes" in refused.stderr) == (2, True)
    assert ids(stock.in_lane()) == ["m1", "m2"]
    said = cli.say("clear", "--source", "campaign", "--yes")
    assert ids(stock.in_lane()) == ["m2"]
    command = re.search(r"antrian (undo \S+)", said)[1].split()
    assert "1 messages are back" in cli.say(*command)
    assert sorted(ids(stock.in_lane())) == ["m1", "m2"]


def test_clear_takes_out_what_waits(cli, stock):
    stock.add_waiting("m1", "m2")
    stock.add_dead("m3")
    answer = cli.json("clear", "--yes")
    assert (answer["cleared_queued"], answer["cleared_failed"], answer["in_flight"]) == (2, 0, 0)
    assert answer["undo_id"]
    assert "0 waiting messages and 1 dead letters" in cli.say("clear", "--scope", "failed", "--yes")
    assert (stock.in_lane(), stock.dead()) == ([], [])


def test_dead_letters_are_listed_with_masked_numbers(cli, stock):
    stock.add_dead("m1", code="timeout")
    stock.add_dead("m2", code="busy")
    text = cli.say("dead", "list")
    assert "+62 812-••••-7890" in text
    assert "81234567890" not in text
    assert "+6281234567890" in cli.say("dead", "list", "--show-numbers")
    listed = cli.json("dead", "list", "--code", "busy")
    assert (listed["total"], [one["message_id"] for one in listed["letters"]]) == (2, ["m2"])
    groups = cli.json("dead", "list", "--group")["groups"]
    assert {(one["code"], one["count"]) for one in groups} == {("timeout", 1), ("busy", 1)}


def test_one_dead_letter_is_shown_in_full(cli, stock):
    stock.add_dead("m1")
    assert "text m1" in cli.say("dead", "show", "m1")
    assert cli.json("dead", "show", "m1")["failures"][0]["code"] == "timeout"
    assert "no dead letter has the id m9" in cli.run("dead", "show", "m9").stderr


def test_dead_letters_are_put_back(cli, stock):
    stock.add_dead("m1", "m2", "m3")
    assert "3 would be put back" in cli.say("dead", "redrive", "--all", "--dry-run")
    assert cli.json("dead", "redrive", "m2", "m9", code=1)["missing"] == ["m9"]
    assert cli.json("dead", "redrive", "--all", "--rate", "100/s", "--limit", "1")["redriven"] == 1
    assert "1 of 1 dead letters were put back" in cli.say("dead", "redrive", "--code", "timeout")
    assert sorted(ids(stock.in_lane())) == ["m1", "m2", "m3"]


def test_a_redriven_message_is_sent_again(cli, consumer, arrivals, records):
    consumer()
    cli.run("publish", "081234569001", "x", "--wait")
    cli.say("dead", "redrive", "--all")
    arrivals.wait_for(2, 10)
    records.wait_for_dead_letters(1)


def test_dead_letters_are_purged(cli, stock):
    stock.add_dead("m1", "m2")
    assert cli.json("dead", "purge", "m1", "--yes")["purged"] == 1
    assert "1 of 1 dead letters were deleted" in cli.say("dead", "purge", "--all", "--yes")
    assert stock.dead() == []


def test_dead_letters_are_exported(cli, stock, tmp_path):
    stock.add_dead("m1", "m2")
    lines = cli.say("dead", "export").splitlines()
    assert [json.loads(line)["message_id"] for line in lines] == ["m1", "m2"]
    target = tmp_path / "dead.csv"
    assert f"2 dead letters are in {target}" in cli.say("dead", "export", str(target), "--format", "csv")
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert [row["phone_number"] for row in rows] == ["6281234567890"] * 2


def test_a_redrive_killed_in_the_middle_loses_nothing_and_doubles_nothing(cli, stock, broker_url):
    letters = [f"m{number}" for number in range(500)]
    stock.add_dead(*letters)
    lane, dead = stock.names.lane("default"), stock.names.dead
    with proxy_before(broker_url) as wire:
        # It comes no further than to the middle, however late it is killed.
        wire.freeze_after(260_000)
        command = ["dead", "redrive", "--all"]
        redrive = AntrianProcess(
            command, env=cli.environment(AMQP_URL=wire.through(broker_url)), stdout=subprocess.DEVNULL
        )
        wait_until(lambda: wire.held_questions and stock.count(lane), 20, "the re-drive is under way")
        redrive.kill()
        redrive.wait(60)
    wait_until(lambda: stock.count(lane) + stock.count(dead) >= len(letters), 10, "all are back in a queue")
    assert stock.count(dead) > 0

    cli.say("dead", "redrive", "--all")
    delivered = stock.in_lane()
    assert set(ids(delivered)) == set(letters)
    assert stock.count(dead) == 0
    # A copy that the first run had published and not yet acked is there twice, but of one generation: it is sent once.
    assert {one.generation for one in delivered} == {2}
