"""Letters that may have arrived are never put back without a word: over HTTP and on the command line."""

import pytest
from admin import AdminServer
from cli import Cli, TerminalCommand
from queue_fixture import Stock, ids

from admin_api.auth.roles import Role
from waiting import wait_until


@pytest.fixture
def doubtful(stock: Stock) -> Stock:
    """Two letters that surely did not arrive, and one that may have."""
    stock.add_dead("m1", "m2")
    stock.tell("outcome.sending", "m3")
    stock.tell("outcome.failed", "m3", failure_class="uncertain", code="no-answer", detail="no answer came in time")
    stock.add_dead("m3", failure_class="uncertain", code="no-answer")
    return stock


def test_the_api_counts_them_and_leaves_them_out_when_asked(admin: AdminServer, doubtful: Stock):
    client = admin.client(Role.OPERATOR, "dewi")
    wait_until(lambda: client.get("/failed")["total"] == 3, 20, "three are listed")
    letters = {one["message_id"]: one["may_have_arrived"] for one in client.get("/failed")["items"]}
    assert letters == {"m1": False, "m2": False, "m3": True}
    asked = {"filter": {}, "dry_run": True}
    counts = [client.post("/failed/redrive", asked | {"skip_uncertain": skip}) for skip in (False, True)]
    assert [(one["selected"], one["may_have_arrived"]) for one in counts] == [(3, 1), (2, 1)]
    job = client.post("/failed/redrive", {"filter": {}, "skip_uncertain": True})
    assert (job["selected"], job["may_have_arrived"]) == (2, 1)
    wait_until(lambda: client.get(f"/jobs/{job['job_id']}")["state"] == "done", 20, "the job is done")
    assert (ids(doubtful.dead()), sorted(ids(doubtful.in_lane()))) == (["m3"], ["m1", "m2"])
    # Without the field all is as it was, and the answer says what the matter is.
    answer = client.post("/failed/m3/redrive")
    assert (answer["message_id"], answer["may_have_arrived"]) == ("m3", True)


def test_a_program_must_say_what_to_do_with_them(cli: Cli, doubtful: Stock):
    assert cli.json("dead", "redrive", "--all", "--dry-run")["may_have_arrived"] == 1
    for words in (("--all",), ("m3",), ("m3", "--priority", "high"), ("--all", "--canary", "1")):
        refused = cli.run("dead", "redrive", *words)
        assert (refused.returncode, "may have arrived" in refused.stderr) == (2, True), refused.stderr
    assert len(doubtful.dead()) == 3
    assert "1 may have arrived already and were left out" in cli.say("dead", "redrive", "m1", "m3", "--skip-uncertain")
    answer = cli.json("dead", "redrive", "--all", "--skip-uncertain")
    assert (answer["redriven"], answer["may_have_arrived"]) == (1, 1)
    assert ids(doubtful.dead()) == ["m3"]
    assert cli.json("dead", "redrive", "--all", "--yes")["redriven"] == 1


def test_a_person_is_asked(cli: Cli, doubtful: Stock):
    for answer, left in (("n", 3), ("y", 0)):
        with TerminalCommand(cli, "dead", "redrive", "--all") as command:
            command.wait_for("1 of 3 may have arrived already", 30)
            command.write(f"{answer}\n")
            command.process.wait(60)
        assert len(doubtful.dead()) == left
