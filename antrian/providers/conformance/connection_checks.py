"""Checks of what is made of a connection that breaks: surely not sent, or unknown, by where it broke."""

import socket
from typing import Final

from antrian.domain.failure_class import FailureClass
from antrian.providers.conformance.check import Area, Checks, demand, demand_class
from antrian.providers.conformance.fault_server import (
    LONGEST_SILENCE,
    Fault,
    FaultServer,
    answer_with,
    drip,
    hang_up,
    hang_up_in_handshake,
    read_request,
    reset,
    speak_no_tls,
    stall_after,
)
from antrian.providers.conformance.probe import ProviderProbe
from antrian.providers.conformance.request_checks import accepted_case
from antrian.providers.conformance.self_signed import server_context
from antrian.providers.conformance.sending import SHORT, attempt, client, message, send

CHECKS = Checks(Area.CONNECTION)

_NOT_SENT: Final = frozenset({FailureClass.UNAVAILABLE})
_UNKNOWN: Final = frozenset({FailureClass.UNCERTAIN})
#: What a client of plain HTTP sees of a connection that was closed at once depends on the moment.
_EITHER: Final = _NOT_SENT | _UNKNOWN


@CHECKS.add()
def a_server_that_is_not_there_means_surely_not_sent(probe: ProviderProbe) -> None:
    """Nobody listens, or nobody knows the name: the lane waits, and the message is tried again without harm."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url, when in ((f"http://127.0.0.1:{port}", "connection refused"), ("http://host.invalid", "unknown host")):
        with client(probe, url) as provider:
            demand_class(send(provider, message(probe)), _NOT_SENT, when)


@CHECKS.add()
def tls_that_fails_means_surely_not_sent(probe: ProviderProbe) -> None:
    """A handshake that does not come about has shown the server nothing of the message."""
    faults: tuple[tuple[Fault, str], ...] = (
        (speak_no_tls, "no TLS"),
        (hang_up_in_handshake, "closed in the handshake"),
    )
    for fault, when in faults:
        got = attempt(probe, fault, tls=True)
        demand_class(got.result, _NOT_SENT, when)


@CHECKS.add()
def a_certificate_that_nobody_trusts_is_refused(probe: ProviderProbe) -> None:
    """Whoever answers in the provider's place gets neither the message nor the key."""
    context, heard = server_context(), []

    def in_the_provider_s_place(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            heard.append(read_request(secure))
            secure.sendall(accepted_case(probe).answers[0])

    got = attempt(probe, in_the_provider_s_place, tls=True)
    demand(not heard, "the message was given to a server with a self-signed certificate")
    demand_class(got.result, _NOT_SENT, "a self-signed certificate")


@CHECKS.add()
def a_connection_closed_at_once_is_no_failure_of_the_message(probe: ProviderProbe) -> None:
    """Closed before the request was read: the lane waits, or it is unknown; never is the message to blame."""
    demand_class(attempt(probe, hang_up).result, _EITHER, "closed before the request was read")


@CHECKS.add()
def a_connection_lost_after_the_request_was_read_is_uncertain(probe: ProviderProbe) -> None:
    """Closed, reset, or half an answer: the provider has the message, and may have acted upon it."""
    half = accepted_case(probe).answers[0]
    faults: dict[str, Fault] = {
        "closed after the request was read": answer_with(b""),
        "reset after the request was read": reset,
        "half an answer": answer_with(half[:-3]),
        "half of the headers": answer_with(b"HTTP/1.1 200 OK\r\nContent-"),
        "a bad chunk": answer_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        "another protocol": answer_with(b"SSH-2.0-OpenSSH\r\n"),
    }
    for when, fault in faults.items():
        demand_class(attempt(probe, fault).result, _UNKNOWN, when, "the message may have gone")


@CHECKS.add()
def silence_after_the_request_was_read_is_uncertain(probe: ProviderProbe) -> None:
    """No answer in time, or one that stalls or never ends: the message may have gone."""
    faults: dict[str, Fault] = {
        "no answer": stall_after(b""),
        "headers that stall": stall_after(b"HTTP/1.1 200 OK\r\nContent-"),
        "a body that stalls": stall_after(accepted_case(probe).answers[0][:-3]),
        "a body that never ends": drip,
    }
    for when, fault in faults.items():
        got = attempt(probe, fault, patience=SHORT)
        demand_class(got.result, _UNKNOWN, when, "the message may have gone")
        demand(
            got.seconds < LONGEST_SILENCE - 1,
            f"{when}: the send took {got.seconds:.0f} s, and its patience is {SHORT} s",
        )
        demand(got.connections == 1, f"{when}: {got.connections} connections for one attempt")


@CHECKS.add()
def a_wrong_address_stops_the_lane_and_raises_nothing(probe: ProviderProbe) -> None:
    """An address that is none is the lane's fault: `send` says so, and does not raise."""
    for url in ("http://[", "http://:0", "nonsense://x"):
        with client(probe, url) as provider:
            demand_class(send(provider, message(probe)), _NOT_SENT, f"the address {url!r}")


@CHECKS.add()
def a_client_is_as_good_after_a_failure(probe: ProviderProbe) -> None:
    """One client serves a lane for weeks: a failure leaves nothing behind."""
    turns = [reset, answer_with(accepted_case(probe).answers[0])]

    def fault(connection: socket.socket) -> None:
        turns.pop(0)(connection) if len(turns) > 1 else turns[0](connection)

    with FaultServer(fault) as server, client(probe, server.url) as provider:
        demand_class(send(provider, message(probe)), _UNKNOWN, "reset")
        demand_class(send(provider, message(probe)), {None}, "accepted after a reset")
