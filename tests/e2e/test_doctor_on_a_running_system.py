"""What the doctor says of a system that runs."""

import json

from admin import AdminServer
from cli import Cli

from admin_api.auth.roles import Role
from waiting import wait_until


def wait_for_findings(lane, code, *wanted):
    """The doctor's answer, once it has found all that; what has just begun may not have come to rest yet."""

    def look():
        done = Cli(lane).run("doctor", "--json")
        answer = json.loads(done.stdout)
        found = "\n".join(one["found"] for one in answer["findings"])
        return answer if done.returncode == code and all(words in found for words in wanted) else None

    return wait_until(look, 10, f"the doctor has found: {wanted}")


def test_a_running_system_with_a_standby_has_no_problem(lane, consumer, admin: AdminServer, publisher, records):
    consumer()
    consumer()
    admin.client(Role.ADMIN)
    publisher.queue_message("081234567890", "Halo")
    records.wait_for_event("outcome.sent")

    answer = wait_for_findings(
        lane,
        0,
        "2 consumers serve lane default: one sends, the others stand by.",
        "Broker and history agree: 0 messages wait, 0 are dead letters.",
    )

    findings = [one for one in answer["findings"] if one["state"] == "warning" and one["subject"] != "broker"]
    assert (answer["ok"], answer["problems"], findings) == (True, 0, [])


def test_without_a_standby_and_with_the_provider_gone_it_says_so(lane, consumer, sandbox):
    consumer()
    sandbox.stop()

    answer = wait_for_findings(lane, 1, "there is no standby", "cannot be reached")

    found = {(one["subject"], one["state"]): one["found"] for one in answer["findings"]}
    assert "there is no standby" in found["lane", "warning"]
    assert "cannot be reached" in found["provider", "problem"]
