"""A typing mistake in a number reaches nobody, whichever way the message comes in."""

import json

import pytest
from pika import BasicProperties

from admin_api.auth.roles import Role
from antrian.broker.connection import open_channel
from publisher import InvalidMessage
from waiting import wait_until

CODE = "letter-in-phone-number"
SENTENCE = "character 14 is the letter O"
#: Typed for +62 812-3456-7890; without the letter it is another person's number.
MISTYPED = "0812 3456 789O"
MESSAGE = {"phone_number": MISTYPED, "message": "Halo"}


def test_python_refuses_a_letter_with_its_place(publisher, stock):
    with pytest.raises(InvalidMessage) as caught:
        publisher.queue_message(MISTYPED, "Halo")
    [error] = publisher.queue_messages([(MISTYPED, "Halo")])

    assert [(one.code, SENTENCE in str(one)) for one in (caught.value, error)] == [(CODE, True)] * 2
    assert stock.count(stock.names.lane("default")) == 0


def test_the_command_line_refuses_a_letter_with_its_place(cli, stock, tmp_path):
    file = tmp_path / "messages.csv"
    file.write_text(f"phone_number,message\n{MISTYPED},Halo\n")

    for words in (["publish", MISTYPED, "Halo"], ["import", str(file)]):
        done = cli.run(*words)
        assert done.returncode != 0
        assert SENTENCE in done.stdout + done.stderr
    assert stock.count(stock.names.lane("default")) == 0


def test_http_refuses_a_letter_with_its_place(admin, stock):
    operator, service = admin.client(Role.OPERATOR), admin.client(Role.PUBLISHER)
    stock.add_dead("m1")
    wait_until(lambda: operator.ask("GET", "/failed/m1").ok, 10, "the dead letter is known")
    for answer in (
        service.ask("POST", "//messages", json=MESSAGE),
        operator.ask("POST", "/send-test", json=MESSAGE),
        operator.ask("POST", "/failed/m1/redrive", json={"phone_number": MISTYPED}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, CODE)
        assert SENTENCE in answer.json()["detail"]
        assert "0812" not in answer.text
    [item] = service.post("//messages/batch", {"messages": [MESSAGE]})["items"]
    assert (item["status"], item["code"], SENTENCE in item["detail"]) == (422, CODE, True)
    assert (stock.count(stock.names.lane("default")), len(stock.dead())) == (0, 1)

    told = operator.get("/numbers", phone_number=MISTYPED)
    assert told["phone_number"] is None
    assert (told["problem"]["code"], told["problem"]["place"], told["problem"]["character"]) == (CODE, 14, "O")
    answer = {"phone_number": "+6281234567890", "display": "+62 812-3456-7890", "problem": None}
    assert operator.get("/numbers", phone_number="0812.3456.7890") == answer


def test_a_letter_in_a_number_that_another_service_publishes_makes_a_dead_letter(consumer, stock, arrivals, lane):
    consumer()
    body = {"version": 1, "source": "php", **MESSAGE}
    with open_channel(lane.amqp_urls, name="test") as channel:
        properties = BasicProperties(message_id="m1", delivery_mode=2)
        channel.basic_publish(stock.names.messages, "default", json.dumps(body), properties)

    [dead] = wait_until(lambda: stock.events("outcome.dead"), 10, "it is dead")
    assert (dead.message_id, dead.details["reason"], dead.details["code"]) == ("m1", "malformed", CODE)
    assert SENTENCE in dead.details["detail"]
    assert "0812" not in json.dumps(dead.details)
    assert arrivals.texts() == []
