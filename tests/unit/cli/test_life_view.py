"""The life of a message on the command line."""

from dataclasses import replace

from desk_records import entry, record
from rich.console import Console

from antrian.cli.life_view import life_table, message_card

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
