"""Whatever is typed wrong: one clear sentence, exit code 2, and nothing is changed."""

import os
import sys

import pytest
from cli import Cli
from queue_fixture import Stock

from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.topology import topology
from antrian.broker.topology_sync import SyncStatus
from antrian.cli.index import main

PHONE = "081234567890"

#: What is typed, and what the answer must name.
WRONG_USE = [
    (("publish",), "PHONE"),
    (("publish", PHONE), "TEXT"),
    (("publish", "0812", "x"), "too short for an Indonesian mobile number"),
    (("publish", "not a number", "x"), "character 1 is the letter n"),
    (("publish", PHONE, ""), "message must not be empty"),
    (("publish", PHONE, "x" * 5_000), "too long"),
    (("publish", PHONE, "x", "--priority", "highest"), "low, normal, high or urgent"),
    (("publish", PHONE, "x", "--at", "tomorrow"), "'tomorrow' is not a time"),
    (("publish", PHONE, "x", "--at", "2026-01-01T00:00"), "offset from UTC"),
    (("publish", PHONE, "x", "--at", "+400d"), "194 days"),
    (("publish", PHONE, "x", "--expires", "2020-01-01T00:00:00Z"), "would expire"),
    (("publish", PHONE, "x", "--at", "+2m", "--expires", "+1m"), "would expire"),
    (("publish", PHONE, "x", "--lane", "nowhere"), "no lane 'nowhere'"),
    (("publish", PHONE, "x", "--wait", "--timeout", "long"), "--timeout"),
    (("publish", PHONE, "x", "--key", ""), "idempotency_key"),
    (("import",), "FILE"),
    (("import", "/nowhere.csv"), "nothing was queued from /nowhere.csv: there is no such file"),
    (("import", "/etc", "--format", "csv"), "it is a folder"),
    (("import", "messages.txt"), "say --format csv or --format jsonl"),
    (("import", "-"), "nothing was queued from stdin: it has no name"),
    (("import", "x.csv", "--lane", "nowhere"), "no lane 'nowhere'"),
    (("import", "x.csv", "--priority", "highest"), "low, normal, high or urgent"),
    (("import", "x.csv", "--source", ""), "--source: source must not be empty"),
    (("import", "x.csv", "--timeout", "-1"), "--timeout"),
    (("status", "--lane", "nowhere"), "no lane 'nowhere'"),
    (("pause", "--lane", "nowhere"), "no lane 'nowhere'"),
    (("resume", "--lane", "nowhere"), "no lane 'nowhere'"),
    (("force", "--lane", "nowhere"), "no lane 'nowhere'"),
    (("clear", "--lane", "nowhere", "--yes"), "no lane 'nowhere'"),
    (("clear", "--scope", "some", "--yes"), "some"),
    (("topology", "explode"), "explode"),
    (("topology", "plan", "--explode"), "--explode"),
    (("topology", "apply", "--replace", "nowhere"), "no such queue"),
    (("dead", "show"), "ID"),
    (("dead", "list", "--limit", "0"), "--limit"),
    (("dead", "redrive"), "some ids, or a filter such as --code, or --all"),
    (("dead", "redrive", "m3", "--all"), "some ids, or a filter such as --code, or --all"),
    (("dead", "redrive", "--all", "--rate", "fast"), "such as 5/s"),
    (("dead", "redrive", "--all", "--rate", "0/s"), "such as 5/s"),
    (("dead", "redrive", "--all", "--rate", "nan"), "such as 5/s"),
    (("dead", "redrive", "--all", "--code", "timeout"), "some ids, or a filter such as --code, or --all"),
    (("dead", "purge"), "some ids, or a filter such as --code, or --all"),
    (("dead", "export", "/nowhere/at/all.csv"), "there is no folder /nowhere/at"),
    (("dead", "export", "/dev/null"), "/dev/null exists already"),
    (("dead", "export", "--format", "xml"), "xml"),
]

#: Commands that need a broker.
NEEDS_A_BROKER = [
    ("publish", PHONE, "x", "--wait"),
    ("status",),
    ("status", "--watch"),
    ("pause",),
    ("resume",),
    ("force",),
    ("clear", "--yes"),
    ("topology", "plan"),
    ("topology", "apply"),
    ("dead", "list"),
    ("dead", "show", "m1"),
    ("dead", "redrive", "--all"),
    ("dead", "purge", "--all", "--yes"),
    ("dead", "export"),
]


#: Commands about a lane.
NEEDS_A_TOPOLOGY = [("status",), ("pause",), ("resume",), ("force",), ("clear", "--yes")]


def spelt(value: str | tuple[str, ...]) -> str:
    """A case's name."""
    return value[:30] if isinstance(value, str) else " ".join(value)[:60]


@pytest.fixture
def stock(settings) -> Stock:
    stock = Stock(settings)
    stock.add_waiting("m1", "m2")
    stock.add_dead("m3")
    return stock


@pytest.fixture
def answer(settings, monkeypatch, capsys):
    """Run a command in this process, because starting forty takes a minute: its exit code and what it prints."""

    def run(words: tuple[str, ...], **more: str) -> tuple[int, str, str]:
        with monkeypatch.context() as here:
            for name in [name for name in os.environ if name.startswith(("WHATSAPP_", "AMQP_"))]:
                here.delenv(name)
            for name, value in Cli(settings).environment(**more).items():
                here.setenv(name, value)
            here.setattr(sys, "argv", ["antrian", *words])
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def complaints(answered: tuple[int, str, str], code: int, words: str) -> list[str]:
    """What is wrong with the answer to wrong use."""
    ended, out, err = answered
    # Typer puts its own complaints into a box, and breaks its lines.
    said = " ".join(err.replace("\u2502", " ").split())
    found = [] if ended == code else [f"exit code {ended}"]
    found += [] if words in said else [f"says: {said}"]
    found += [] if len(err.splitlines()) <= 6 and "Traceback" not in said else ["more than a sentence"]
    return found + ([f"prints: {out}"] if out else [])


@pytest.mark.parametrize(("words", "named"), WRONG_USE, ids=spelt)
def test_wrong_use_is_one_sentence_and_code_2_and_changes_nothing(answer, settings, words, named):
    assert complaints(answer(words), 2, named) == []
    with open_channel(settings.amqp_urls, name="test") as channel:
        found = topology_sync.plan(channel.connection, topology(settings))
    assert {one.status for one in found} == {SyncStatus.MISSING}


@pytest.mark.parametrize("words", NEEDS_A_BROKER, ids=" ".join)
def test_a_broker_that_is_away_is_one_sentence_and_code_1(answer, words):
    away = answer(words, AMQP_URL="amqp://guest:guest@127.0.0.1:1/")
    assert complaints(away, 1, "no broker answers at 127.0.0.1:1") == []


@pytest.mark.parametrize("words", NEEDS_A_TOPOLOGY, ids=" ".join)
def test_a_missing_topology_is_said_with_what_to_do(answer, words):
    assert complaints(answer(words), 1, "antrian topology apply") == []


@pytest.mark.parametrize("words", NEEDS_A_TOPOLOGY, ids=" ".join)
def test_several_lanes_must_be_told_apart(answer, words):
    several = answer(words, WHATSAPP_QUEUE_LANES="default,other=628111111111")
    assert complaints(several, 2, "--lane: there are several lanes; name one of them: default, other") == []


@pytest.mark.parametrize("words", [("status",), ("dead", "list"), ("topology", "plan")], ids=" ".join)
def test_a_wrong_setting_is_named(answer, words):
    assert complaints(answer(words, WHATSAPP_QUEUE_DELAY="-1"), 2, "WHATSAPP_QUEUE_DELAY") == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("clear",), "2 waiting messages"),
        (("clear", "--scope", "all"), "1 dead letters; say so with --yes"),
        (("dead", "purge", "--all"), "this would delete 1 dead letters; say so with --yes"),
        (("dead", "purge", "m3"), "this would delete 1 dead letters; say so with --yes"),
    ],
    ids=spelt,
)
def test_what_cannot_be_undone_needs_a_yes_and_says_what_would_go(answer, stock, words, named):
    before = stock.in_lane(), stock.dead()
    assert complaints(answer(words), 2, named) == []
    assert (stock.in_lane(), stock.dead()) == before


def test_a_real_process_answers_in_the_same_way(settings):
    done = Cli(settings).run("publish", "0812", "x")
    assert complaints((done.returncode, done.stdout, done.stderr), 2, "too short for an Indonesian mobile number") == []
