"""What the doctor says of a system that runs."""

from admin import AdminServer
from cli import Cli

from admin_api.access.roles import Role


def test_a_running_system_with_a_standby_has_no_problem(lane, consumer, admin: AdminServer, publisher, arrivals):
    consumer()
    consumer()
    admin.client(Role.ADMIN)
    publisher.queue_message("081234567890", "Halo")
    arrivals.wait_for(1, 10)

    answer = Cli(lane).json("doctor")

    findings = [one for one in answer["findings"] if one["state"] == "warning" and one["subject"] != "broker"]
    assert (answer["ok"], answer["problems"], findings) == (True, 0, [])
    found = "\n".join(one["found"] for one in answer["findings"])
    assert "2 consumers serve lane default: one sends, the others stand by." in found
    assert "Broker and history agree: 0 messages wait, 0 are dead letters." in found


def test_without_a_standby_and_with_the_provider_gone_it_says_so(lane, consumer, sandbox):
    consumer()
    sandbox.stop()

    answer = Cli(lane).json("doctor", code=1)

    found = {(one["subject"], one["state"]): one["found"] for one in answer["findings"]}
    assert "none stands by" in found["lane", "warning"]
    assert "cannot be reached" in found["provider", "problem"]
