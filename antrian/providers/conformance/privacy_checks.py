"""Checks that keys, numbers and texts stand in no log, no error, no detail, no metric label and no repr."""

import base64
import io
import logging
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Final
from urllib.parse import quote

from antrian.domain.failure_class import FailureClass
from antrian.providers.conformance.check import Area, Checks, demand, demand_class
from antrian.providers.conformance.fault_server import FaultServer, answer_each, answer_with, read_request, reset
from antrian.providers.conformance.probe import KEY, RECIPIENT, ClientSettings, ProviderProbe, http_answer
from antrian.providers.conformance.request_checks import accepted_case
from antrian.providers.conformance.sending import TEXT, attempt, client, message, send
from antrian.providers.contract import Failed, SendResult

CHECKS = Checks(Area.PRIVACY)

#: A piece of the text that occurs nowhere by chance.
_PIECE: Final = TEXT[-9:]
_SHORTEST: Final = 6


def private_texts(probe: ProviderProbe) -> dict[str, str]:
    """What must stand nowhere, and what it is."""
    number = RECIPIENT.removeprefix("+")
    found = {number: "the number", number[2:]: "the number", _PIECE: "the text", TEXT: "the text"}
    found |= {probe.request.recipient_value: "the number"}
    if sum(map(str.isdigit, probe.sender)) >= _SHORTEST:
        found[probe.sender.lstrip("+")] = "the sender's number"
    for secret in (KEY, *probe.secrets, probe.request.credentials_value):
        coded = base64.b64encode(secret.encode()).decode().rstrip("=")
        found |= dict.fromkeys((secret, quote(secret, safe=""), coded), "the key")
    return {text: what for text, what in found.items() if len(text) >= _SHORTEST}


def demand_private(probe: ProviderProbe, where: str, words: str) -> None:
    """Demand that nothing private stands in these words."""
    for text, what in private_texts(probe).items():
        demand(text not in words, f"{where} holds {what}")


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Everything that is logged, warned of or printed meanwhile."""
    heard: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            fields = {name: value for name, value in vars(record).items() if name not in {"args", "exc_info", "msg"}}
            heard.append(f"{record.getMessage()} {fields} {record.exc_info!r}")
            if record.exc_info:
                heard.append(logging.Formatter().formatException(record.exc_info))

    handler, root, printed = Handler(logging.NOTSET), logging.getLogger(), io.StringIO()
    named = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    levels = {one: (one.level, one.propagate) for one in (root, *named)}
    disabled = logging.root.manager.disable
    root.addHandler(handler)
    logging.disable(logging.NOTSET)
    try:
        for one in levels:
            one.setLevel(logging.DEBUG)
            one.propagate = True
        with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield heard
        heard += [printed.getvalue(), *(str(one.message) for one in warned)]
    finally:
        for one, (level, propagate) in levels.items():
            one.setLevel(level)
            one.propagate = propagate
        root.removeHandler(handler)
        logging.disable(disabled)


@CHECKS.add()
def nothing_private_is_logged_printed_or_warned_of(probe: ProviderProbe) -> None:
    """Not even by the libraries, at the finest level, whatever the provider answers."""
    with _overheard() as heard:
        for case in probe.cases:
            attempt(probe, answer_each(case.answers))
        attempt(probe, reset)
        attempt(probe, answer_with(http_answer(502, b"<html>")))
        attempt(probe, answer_with(http_answer(200, b"{")))
    demand_private(probe, "a log record, a warning or the output", "\n".join(heard))


@CHECKS.add()
def a_complaint_that_repeats_everything_is_told_without_it(probe: ProviderProbe) -> None:
    """Providers repeat what they were sent: the failure's detail must not."""
    words = f"cannot do {TEXT} to {RECIPIENT} {probe.request.recipient_value} for {KEY} {' '.join(probe.secrets)}"
    for words_of in (words, words[:60].replace(" ", "\n"), f"{TEXT!r} {probe.sender}"):
        result = attempt(probe, answer_each([probe.complain(words_of)])).result
        demand(isinstance(result, Failed), "a complaint of the provider is told as accepted")
        _demand_private_result(probe, result, "a failure with the provider's words")


@CHECKS.add()
def a_page_that_repeats_the_request_is_told_without_it(probe: ProviderProbe) -> None:
    """An error page of a framework that shows the whole request, head and body."""

    def echo(connection: socket.socket) -> None:
        head, _, body = read_request(connection).partition(b"\r\n\r\n")
        connection.sendall(http_answer(500, b"<html><pre>" + body + head))
        connection.close()

    result = attempt(probe, echo).result
    demand_class(result, {FailureClass.UNCERTAIN}, "HTTP 500 with a page that repeats the request")
    _demand_private_result(probe, result, "a failure with a page that repeats the request")


@CHECKS.add()
def every_failure_is_without_private_texts(probe: ProviderProbe) -> None:
    """Code, detail and repr of each result."""
    for case in probe.cases:
        _demand_private_result(probe, attempt(probe, answer_each(case.answers)).result, f"{case.name!r}")
    for url in ("http://host.invalid", "http://[", "nonsense://x"):
        with client(probe, url) as provider:
            _demand_private_result(probe, send(provider, message(probe)), f"a failure at {url!r}")


def _demand_private_result(probe: ProviderProbe, result: SendResult, where: str) -> None:
    demand_private(probe, f"the result of {where}", f"{result!r} {result}")


@CHECKS.add()
def the_client_shows_no_secret(probe: ProviderProbe) -> None:
    """Neither in its repr, nor as plain text in an attribute's repr, before a send and after."""
    with FaultServer(answer_each(accepted_case(probe).answers)) as server:
        provider = probe.make_client(ClientSettings(url=server.url))
        for _ in range(2):
            shown = f"{provider!r} {provider} {provider.name!r}"
            for text, what in private_texts(probe).items():
                demand(text not in shown, f"the client's repr holds {what}")
            inside = {name: repr(value) for name, value in _attributes(provider).items()}
            for secret in (KEY, *probe.secrets):
                open_in = [name for name, value in inside.items() if secret in value]
                demand(not open_in, f"the key stands openly in {', '.join(open_in)}: keep it as a SecretStr")
            send(provider, message(probe))
        provider.close()


def _attributes(provider: object) -> dict[str, object]:
    names = {name for kind in type(provider).__mro__ for name in getattr(kind, "__slots__", ())}
    names |= set(getattr(provider, "__dict__", {}))
    return {name: getattr(provider, name, None) for name in names}
