"""`antrian import` as an admin or a migration script runs it, through every kind of trouble in the middle."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
from antrian_process import AntrianProcess
from cli import Cli, TerminalCommand
from queue_fixture import Stock
from tcp_proxy import TcpProxy, proxy_before

from antrian.broker.connection import open_channel
from antrian.broker.topology import topology
from waiting import wait_until

ANI, BUDI = "081234567890", "081234567891"


@pytest.fixture
def write(tmp_path):
    """Write a file of messages; its name."""

    def made(*rows: tuple[str, ...], header: str = "phone_number;message", name: str = "messages.csv") -> str:
        file = tmp_path / name
        file.write_text("\n".join([header, *(";".join(row) for row in rows), ""]), encoding="utf-8")
        return str(file)

    return made


@pytest.fixture
def many(write):
    """A file that takes a moment to hand over."""
    return write(*((ANI, f"text {number}") for number in range(8_000)))


@pytest.fixture
def wire(broker_url) -> Iterator[TcpProxy]:
    """What an import of many reaches the broker by: it gets no further than to the middle, however late we look."""
    with proxy_before(broker_url) as proxy:
        proxy.freeze_after(1_000_000)
        yield proxy


@pytest.fixture
def start(cli, stock, many, wire, broker_url):
    """Begin an import and wait until some of it is in the queue, and some of it on the frozen wire."""
    running: list[AntrianProcess] = []
    queue = stock.names.lane("default")

    def started(timeout: str = "100") -> AntrianProcess:
        command = ["import", many, "--timeout", timeout]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(AntrianProcess(command, env=cli.environment(AMQP_URL=wire.through(broker_url)), **pipes))
        wait_until(lambda: wire.held_questions and stock.count(queue), 30, "some messages are in the queue")
        return running[-1]

    yield started
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def texts(messages) -> list[str]:
    return [message.body.message for message in messages]


def test_a_file_from_an_office_is_understood_and_its_other_columns_can_be_left_out(cli, stock, write):
    file = write(("1", "Ani", ANI, "Halo"), header="No;Nama;Nomor HP;Pesan")
    refused = cli.run("import", file)
    assert refused.returncode == 2
    assert "there is no 'No'" in refused.stderr
    assert "'Nama' (did you mean metadata.nama?)" in refused.stderr
    assert "--ignore-columns No,Nama" in refused.stderr
    assert "1 message is in the queue now." in cli.say("import", file, "--ignore-columns", "no,nama")
    assert texts(stock.in_lane()) == ["Halo"]


def test_a_csv_file_is_queued_in_its_order_with_all_that_it_says(cli, stock, write):
    file = write(
        ("0812-3456-7890", '"Halo ""Ani""; apa kabar?"', "high", "k1", "payment", "17"),
        (BUDI, "Halo", "", "", "", ""),
        header="phone_number;message;priority;idempotency_key;source;metadata.invoice",
    )
    assert "2 messages are in the queue now." in cli.say("import", file)
    first, second = stock.in_lane()
    assert (first.body.phone_number, first.body.message, first.priority) == (
        "+6281234567890",
        'Halo "Ani"; apa kabar?',
        9,
    )
    assert (first.body.idempotency_key, first.body.source) == ("k1", "payment")
    assert first.body.metadata == {"invoice": "17"}
    assert (second.priority, second.body.source, second.body.metadata) == (5, "import", None)
    assert second.body.idempotency_key.startswith("import:")


def test_lines_of_json_come_from_stdin_with_defaults_from_the_command(cli, stock):
    lines = [{"phone_number": ANI, "message": "satu"}, {"phone_number": BUDI, "message": "dua", "deliver_at": "+1h"}]
    options = ("--format", "jsonl", "--source", "migration", "--priority", "low", "--lane", "default")
    done = cli.run("import", "-", *options, stdin="\n".join(map(json.dumps, lines)))
    assert done.returncode == 0, done.stderr
    [message] = stock.in_lane()
    assert (message.body.message, message.body.source, message.priority) == ("satu", "migration", 1)
    assert stock.delayed() == 1


def test_programs_get_counts(cli, write):
    told = cli.json("import", write((ANI, "x"), (ANI, "x")))
    assert (told["read"], told["queued"], told["invalid"], told["failed"]) == (2, 2, [], [])


def test_one_wrong_row_keeps_everything_out(cli, stock, write):
    file = write((ANI, "right"), ("0812", "wrong"), (ANI, ""))
    done = cli.run("import", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "2 of 3 rows" in done.stderr
    assert "line 3, phone_number: this is too short" in done.stderr
    assert "line 4, message: is missing" in done.stderr
    told = cli.json("import", file, code=2)
    assert (told["queued"], [one["line"] for one in told["invalid"]]) == (0, [3, 4])
    assert stock.in_lane() == []


def test_wrong_rows_can_be_skipped(cli, stock, write):
    file = write((ANI, "right"), ("0812", "wrong"), (ANI, "right, too"))
    done = cli.run("import", file, "--skip-invalid")
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "2 messages are in the queue now.")
    assert "line 3, phone_number" in done.stderr
    assert texts(stock.in_lane()) == ["right", "right, too"]


def test_a_dry_run_queues_nothing_and_needs_no_broker(cli, stock, write):
    file = write((ANI, "x"), (ANI, "y"))
    assert cli.json("import", file, "--dry-run")["new"] == 2
    cli.say("import", write((ANI, "x"), name="part.csv"))
    assert "1 message would be queued" in cli.say("import", file, "--dry-run")
    away = cli.run("import", file, "--dry-run", AMQP_URL="amqp://guest:guest@127.0.0.1:1/")
    assert (away.returncode, "2 messages would be queued" in away.stdout) == (0, True)
    assert "It is not known what an earlier import queued" in away.stderr
    assert texts(stock.in_lane()) == ["x"]


@pytest.mark.parametrize("name", ["missing.csv", "folder", "empty.csv", "header.csv", "utf16.csv", "binary.csv"])
def test_a_file_that_is_none_is_one_sentence(cli, tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "header.csv").write_text("nomor\n")
    (tmp_path / "utf16.csv").write_text("phone_number;message\n", encoding="utf-16")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    done = cli.run("import", str(tmp_path / name), "--format", "csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: nothing was queued from ")
    assert len(done.stderr.splitlines()) == 1


def test_a_broker_that_is_away_is_told_before_anything_is_queued(cli, write):
    done = cli.run("import", write((ANI, "x")), AMQP_URL="amqp://guest:guest@127.0.0.1:1/")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no broker answers at 127.0.0.1:1" in done.stderr


def test_a_missing_topology_is_told_with_what_to_do(settings, write):
    done = Cli(settings).run("import", write((ANI, "x")))
    assert (done.returncode, "antrian topology apply" in done.stderr) == (1, True)


def test_several_lanes_must_be_told_apart_row_by_row_or_for_all(cli, stock, write):
    several = {"WHATSAPP_QUEUE_LANES": "default,other=628111111111"}
    done = cli.run("import", write((ANI, "x")), **several)
    assert (done.returncode, "the lanes are: default, other" in done.stderr) == (2, True)
    file = write((ANI, "here", ""), (ANI, "nowhere", "other"), header="phone_number;message;lane")
    done = cli.run("import", file, "--lane", "default", **several)
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "1 of 2 messages is in the queue now.")
    assert "line 3: there is no lane 'other'" in done.stderr
    assert texts(stock.in_lane()) == ["here"]


def test_a_key_that_comes_twice_in_a_file_is_told_and_queued_once(cli, stock, write):
    done = cli.run("import", write((ANI, "x", "k"), (BUDI, "y", "k"), header="phone_number;message;idempotency_key"))
    assert (done.returncode, "line 3, as line 2" in done.stderr) == (0, True)
    assert texts(stock.in_lane()) == ["x"]


def test_a_second_import_queues_only_what_is_new(cli, stock, write):
    cli.say("import", write((ANI, "x"), (ANI, "x"), (ANI, "y")))
    assert "Left out: 3 in the queue already." in cli.say("import", write((ANI, "x"), (ANI, "x"), (ANI, "y")))
    cli.say("import", write((ANI, "new"), (ANI, "x"), (ANI, "x"), (ANI, "x"), (ANI, "y")))
    assert Counter(texts(stock.in_lane())) == {"x": 3, "y": 1, "new": 1}
    cli.say("import", write((ANI, "y")), "--batch", "again")
    assert Counter(texts(stock.in_lane())) == {"x": 3, "y": 2, "new": 1}


def test_what_was_sent_or_given_up_is_left_out_and_what_was_cleared_is_not(cli, consumer, records, write):
    file = write((ANI, "sent"), ("081234569001", "given up"))
    ours = consumer(WHATSAPP_QUEUE_DELAY="0")
    cli.say("import", file)
    records.wait_for_event("outcome.sent")
    records.wait_for_dead_letters(1)
    ours.terminate()
    said = cli.say("import", write((ANI, "sent"), ("081234569001", "given up"), (ANI, "cleared")))
    assert "Left out: 1 sent in the last 24 h; 1 given up" in said
    cli.say("clear", "--yes")
    assert cli.json("import", file)["queued"] == 1


def test_an_import_killed_in_the_middle_and_done_again_queues_each_message_once(cli, stock, start, wire, many):
    queue = stock.names.lane("default")
    ours = start()
    ours.kill()
    ours.wait(60)
    wire.cut()
    assert 0 < stock.count(queue) < 8_000
    told = cli.json("import", many)
    assert told["already"]["queued"] + told["queued"] == 8_000
    found = Counter(texts(stock.in_lane()))
    assert (len(found), set(found.values())) == (8_000, {1})


def test_ctrl_c_says_how_far_it_came_and_the_next_time_does_the_rest(cli, stock, start, wire, many):
    queue = stock.names.lane("default")
    ours = start()
    ours.send_signal(signal.SIGINT)
    # What is on its way is waited for.
    wire.thaw()
    out, err = ours.communicate(timeout=120)
    assert (ours.returncode, err) == (1, "")
    interrupted, advice = out.splitlines()
    assert interrupted.startswith("Interrupted: ")
    assert advice == "Run the same command again: what is in the queue is not sent twice."
    queued = int(interrupted.split()[1].replace(",", ""))
    wait_until(lambda: stock.count(queue) == queued, 5, "as many are in the queue as it says")
    assert cli.json("import", many)["queued"] == 8_000 - queued
    assert stock.count(queue) == 8_000


def test_ctrl_c_before_anything_is_queued_says_so(cli):
    with TerminalCommand(cli, "import", "-", "--format", "csv") as ours:
        ours.wait_for("rows checked")
        assert ours.interrupt() == 1
        ours.wait_for("interrupted; nothing was queued")


def test_a_broker_that_stays_away_ends_the_import_and_the_next_one_does_the_rest(cli, stock, start, wire, many):
    queue = stock.names.lane("default")
    ours = start(timeout="8")
    wire.close()
    out, _ = ours.communicate(timeout=120)
    assert ours.returncode == 1
    assert "because the broker went away: no broker answers" in out
    assert "Run the same command again" in out
    assert 0 < stock.count(queue) < 8_000
    cli.say("import", many)
    found = Counter(texts(stock.in_lane()))
    assert (len(found), set(found.values())) == (8_000, {1})


def test_a_broker_that_comes_back_in_time_gets_everything(stock, start, wire):
    ours = start()
    wire.cut()
    wire.thaw()
    out, err = ours.communicate(timeout=120)
    assert (ours.returncode, err) == (0, "")
    assert "8,000 messages are in the queue now." in out
    # What was on its way is written twice, under one id: the consumer sends it once.
    assert len({one.message_id for one in stock.in_lane()}) == 8_000


def test_after_the_broker_was_emptied_everything_is_queued_again(cli, stock, write):
    file = write((ANI, "x"), (ANI, "y"))
    assert cli.json("import", file)["queued"] == 2
    assert cli.json("import", file)["already"]["queued"] == 2
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        for queue in topology(stock.settings).queues:
            channel.queue_delete(queue.name)
    again = Stock(stock.settings)
    assert cli.json("import", file)["queued"] == 2
    assert cli.json("import", file)["already"]["queued"] == 2
    assert texts(again.in_lane()) == ["x", "y"]


def test_without_a_history_the_consumer_sends_each_message_once(
    cli, consumer, stock, arrivals, records, write, tmp_path
):
    file = write(*((ANI, f"text {number}") for number in range(20)), (ANI, "text 0"))
    cli.say("import", file)
    (tmp_path / "no-folder").touch()
    done = cli.run("import", file, ANTRIAN_HOME=str(tmp_path / "no-folder"))
    assert (done.returncode, "It is not known what an earlier import queued" in done.stderr) == (0, True)
    assert stock.count(stock.names.lane("default")) == 42
    consumer(WHATSAPP_QUEUE_DELAY="0")
    records.wait_for_event("outcome.duplicate", 30, count=21)
    sent = Counter(arrivals.texts())
    assert sent == {f"text {number}": 1 for number in range(20)} | {"text 0": 2}


def test_a_terminal_shows_progress(cli, many):
    with TerminalCommand(cli, "import", many) as ours:
        ours.wait_for("rows checked")
        ours.wait_for("/8000")
        ours.wait_for("8,000 messages are in the queue now.", 60)
