"""Checks that cannot fail prove nothing: each fault that is planted in an adapter is found by the check made for it."""

import made_up_gateway
import pytest

from antrian.providers.conformance.check import ConformanceError
from antrian.providers.conformance.run import CHECKS, run

FAULTS = {
    "the text arrives exactly": (
        "strips the text", "normalises lines", "drops what is no ASCII", "drops emoji", "formats the text",
        "cuts the text",
    ),
    "half a character is not sent": ("sends half characters",),
    "one recipient gets it": ("names the recipient twice", "leaves the plus"),
    "what is no single recipient is not sent": ("sends to lists",),
    "the request keeps the vendor's description": ("a number as a string", "calls another path"),
    "the key stands in its place only": ("puts the key into the path", "forgets the key"),
    "our name goes with each attempt": ("one ref for all attempts", "a new ref each time", "promises another ref"),
    "nothing is carried over from one send to the next": ("keeps cookies",),
    "each case is told as what it is": (
        "calls a new contact transient", "calls bad credentials rejected", "calls throttling transient",
        "forgets the provider's id",
    ),
    "one send makes one attempt": ("tries again by itself", "asks for the state"),
    "failures say what they are in a bounded way": ("quotes without end", "words as a code"),
    "a throttled send waits as long as the provider says": ("ignores Retry-After", "waits for days"),
    "a success that cannot be read is uncertain": (
        "takes every 2xx for accepted", "raises on broken JSON", "gives up on broken JSON",
        "calls everything unclear transient",
    ),
    "a redirect is not followed": ("follows redirects",),
    "a server that is not there means surely not sent": ("calls a refused connection uncertain",),
    "tls that fails means surely not sent": ("calls a wrong certificate rejected",),
    "a certificate that nobody trusts is refused": ("trusts every certificate",),
    "a connection lost after the request was read is uncertain": (
        "calls a lost connection transient", "raises what requests raises",
    ),
    "silence after the request was read is uncertain": ("calls a time-out transient", "waits for ever"),
    "nothing private is logged printed or warned of": ("logs the number", "prints the text", "logs the key"),
    "a complaint that repeats everything is told without it": ("repeats the provider's words",),
    "a page that repeats the request is told without it": ("quotes the page",),
    "every failure is without private texts": ("tells the address",),
    "the client shows no secret": ("keeps the key openly", "shows the key"),
    "genuine webhooks are accepted and read": ("read is delivered", "tells its own time"),
    "what is not signed with the secret is refused": (
        "needs no signature", "believes everyone", "compares the beginning", "compares as far as it goes",
        "looks at the form only", "raises on odd signatures",
    ),
    "a secret is replaced without losing a webhook": ("counts the first secret only", "an empty secret counts"),
    "a repeated webhook is known by its key": ("a new key each time", "a key from a header", "one key for all"),
    "the order of webhooks changes nothing": ("remembers what it read",),
    "one bad event of a batch spoils no other": (
        "a bad event spoils the batch", "loses a bad event", "raises on a bad event", "only the first of a batch",
        "turns a batch round",
    ),
    "what is new is kept": ("takes the unknown for delivered", "loses an unknown status", "loses unknown events"),
    "an old webhook is told with its own time": ("forgets an hour-old one",),
    "a body that is spoilt raises nothing": (
        "raises on a spoilt body", "raises on a nested body", "keeps everything",
    ),
    "no value anywhere raises anything": ("raises on a bad event", "keeps half characters"),
    "a value nested as deep as can be read raises nothing": ("walks through what is nested",),
    "the address is proved by a challenge": ("answers every challenge",),
    "nothing of a webhook is kept too long or shows a secret": ("tells the secret",),
}  # fmt: skip


def test_an_adapter_without_a_fault_passes_every_check():
    assert {one.check.name: one.complaint for one in run(made_up_gateway.probe()) if one.complaint} == {}


@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name, faults in FAULTS.items() for fault in faults])
def test_a_planted_fault_is_found(name, fault):
    [check] = [one for one in CHECKS if one.name == name]
    with pytest.raises(ConformanceError):
        check.demand(made_up_gateway.probe(fault))
