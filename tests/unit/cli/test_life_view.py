"""The life of a message on the command line."""

from dataclasses import replace

from desk_records import entry, record
from rich.console import Console

from antrian.cli.life_view import life_table, message_card, shown_state
from antrian.history.records import DeliveryState, MessageState

ONE, TWO = "3c6d20e1-896e-48b0-b11b-46d900d1ebe5", "11111111-896e-48b0-b11b-46d900d1ebe5"


def drawn(table) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def by(source: str, name: str, **details: object):
    return replace(entry(name, **details), source=source)


def test_a_consumer_is_named_once_by_host_and_process():
    life = [
        by(ONE, "outcome.sending", consumer="sender-1 (42)"),
        by(ONE, "outcome.sent"),
        by("cli:ani", "outcome.redriven"),
    ]
    table, card = drawn(life_table(life)), drawn(message_card(record(), life))
    assert ONE not in table + card
    assert "sender-1 (42)" not in table
    assert card.count("sender-1 (42)") == 1
    assert "cli:ani" in table


def test_several_consumers_are_told_apart():
    life = [by(ONE, "outcome.sending", consumer="a (1)"), by(TWO, "outcome.sending", consumer="b (2)")]
    card = drawn(message_card(record(), life))
    assert card.index("a (1)") < card.index("b (2)")


def test_a_message_that_is_to_be_cancelled_says_so():
    assert "being cancelled" in drawn(message_card(record(cancelling=True)))
    assert "being cancelled" not in drawn(message_card(record()))


def test_receipts_are_told_in_words_and_a_proof_says_that_it_is_one():
    about = {"provider_id": "p1"}
    life = [
        entry("outcome.sending"),
        entry("outcome.sent", settled_by="receipt", **about),
        entry("receipt.status", status="failed", code="131026", **about),
        entry("receipt.status", status="delivered", **about),
        entry("receipt.status", status="delivered", **about),
    ]
    table = drawn(life_table(life))
    assert "there was no answer, but a receipt that proves it" in table
    assert "not delivered, the provider says" in table
    assert table.count("delivered after all 0.1 s after the provider took it") == 1


def test_what_became_of_a_message_stands_where_its_state_does():
    sent = record(state=MessageState.SENT, delivery=DeliveryState.READ, read_at=5.0, delivered_at=3.0, sent_at=1.0)
    assert shown_state(sent) == "read"
    assert shown_state(replace(sent, state=MessageState.DEAD)) == "dead"
    card = drawn(message_card(sent))
    assert card.index("read, ") < card.index("delivered ") < card.index("taken ")
