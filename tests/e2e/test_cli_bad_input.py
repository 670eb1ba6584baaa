"""Whatever is typed wrong: one clear sentence, exit code 2, and nothing is changed."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from cli import Cli
from stock import Stock

PHONE = "081234567890"

#: What is typed, and what the answer must name.
WRONG_USE = [
    (("publish", PHONE), "TEXT"),
    (("publish", "0812", "x"), "no number has this prefix and length"),
    (("publish", PHONE, "x" * 5_000), "too long"),
    (("publish", PHONE, "x", "--priority", "highest"), "low, normal, high or urgent"),
    (("publish", PHONE, "x", "--at", "tomorrow"), "'tomorrow' is no time"),
    (("publish", PHONE, "x", "--at", "+400d"), "194 days"),
    (("publish", PHONE, "x", "--at", "+2m", "--expires", "+1m"), "would expire"),
    (("publish", PHONE, "x", "--lane", "nowhere"), "no lane nowhere"),
    (("publish", PHONE, "x", "--wait", "--timeout", "long"), "--timeout"),
    (("publish", PHONE, "x", "--key", ""), "idempotency_key"),
    (("pause", "--lane", "nowhere"), "no lane nowhere"),
    (("clear",), "2 waiting messages"),
    (("clear", "--scope", "all"), "1 dead letters; say so with --yes"),
    (("clear", "--scope", "some", "--yes"), "some"),
    (("topology", "explode"), "explode"),
    (("topology", "plan", "--explode"), "--explode"),
    (("topology", "apply", "--replace", "nowhere"), "no such queue"),
    (("dead", "show"), "ID"),
    (("dead", "list", "--limit", "0"), "--limit"),
    (("dead", "redrive"), "some ids, or a filter such as --code, or --all"),
    (("dead", "redrive", "m3", "--all"), "some ids, or a filter such as --code, or --all"),
    (("dead", "redrive", "--all", "--rate", "fast"), "such as 5/s"),
    (("dead", "redrive", "--all", "--rate", "nan"), "such as 5/s"),
    (("dead", "purge", "--all"), "this would delete 1 dead letters for good; say so with --yes"),
    (("dead", "export", "/nowhere/at/all.csv"), "there is no folder /nowhere/at"),
    (("dead", "export", "/dev/null"), "/dev/null exists already"),
    (("dead", "export", "--format", "xml"), "xml"),
]

#: Commands that need a broker.
NEEDS_A_BROKER = [
    ("publish", PHONE, "x", "--wait"),
    ("status",),
    ("pause",),
    ("force",),
    ("clear", "--yes"),
    ("topology", "apply"),
    ("dead", "list"),
    ("dead", "redrive", "--all"),
    ("dead", "purge", "--all", "--yes"),
    ("dead", "export"),
]


@pytest.fixture
def stock(settings) -> Stock:
    stock = Stock(settings)
    stock.add_waiting("m1", "m2")
    stock.add_dead("m3")
    return stock


def complaints(done: "subprocess.CompletedProcess[str]", code: int, words: str) -> list[str]:
    """What is wrong with the answer to wrong use."""
    # Typer puts its own complaints into a box, and breaks its lines.
    said = " ".join(done.stderr.replace("\u2502", " ").split())
    found = [] if done.returncode == code else [f"exit code {done.returncode}"]
    found += [] if words in said else [f"says: {said}"]
    found += [] if len(done.stderr.splitlines()) <= 6 and "Traceback" not in said else ["more than a sentence"]
    return found + ([f"prints: {done.stdout}"] if done.stdout else [])


def all_complaints(cli: Cli, cases: list[tuple[tuple[str, ...], str]], code: int, **more: str) -> dict[str, list[str]]:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda case: cli.run(*case[0], **more), cases))
    judged = {" ".join(words): complaints(done, code, part) for (words, part), done in zip(cases, answers, strict=True)}
    return {command: found for command, found in judged.items() if found}


def test_wrong_use_is_one_sentence_and_code_2_and_changes_nothing(stock):
    before = stock.in_lane(), stock.dead(), stock.delayed()
    assert all_complaints(Cli(stock.settings), WRONG_USE, 2) == {}
    assert (stock.in_lane(), stock.dead(), stock.delayed()) == before
    assert stock.events("outcome.cleared") + stock.events("outcome.purged") + stock.events("lane.paused") == []


def test_a_wrong_setting_is_named(stock):
    cases = [(words, "WHATSAPP_QUEUE_DELAY") for words in (("status",), ("dead", "list"))]
    assert all_complaints(Cli(stock.settings), cases, 2, WHATSAPP_QUEUE_DELAY="-1") == {}


def test_a_broker_that_is_away_is_one_sentence_and_code_1(settings):
    cases = [(words, "no broker answers at 127.0.0.1:1") for words in NEEDS_A_BROKER]
    assert all_complaints(Cli(settings), cases, 1, AMQP_URL="amqp://guest:guest@127.0.0.1:1/") == {}


def test_a_missing_topology_is_said_with_what_to_do(settings):
    cases = [(words, "antrian topology apply") for words in (("status",), ("pause",), ("clear", "--yes"))]
    assert all_complaints(Cli(settings), cases, 1) == {}


def test_several_lanes_must_be_told_apart(settings):
    cases = [(words, "say which with --lane: default, other") for words in (("status",), ("pause",))]
    assert all_complaints(Cli(settings), cases, 2, WHATSAPP_QUEUE_LANES="default,other=628111111111") == {}
