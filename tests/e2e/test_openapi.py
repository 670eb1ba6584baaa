"""The API keeps to its own description, whatever is sent: schemathesis sends it."""

import subprocess
import sys
from pathlib import Path

import pytest
from admin import AdminServer
from factories import PHONE

from admin_api.auth.roles import Role

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"

#: Random texts are no phone numbers, so what fits the description may still be refused (422, which is described). And
#: whoever tries wrong tokens again and again gets 429; `test_api_roles` tries every address without a token. And the
#: framework has a route for each method, so its `Allow` names the method of one.
LEFT_OUT = "positive_data_acceptance,ignored_auth,allow_header_conformance"


def attack(admin: AdminServer, folder: Path, role: Role, *selection: str) -> "subprocess.CompletedProcess[str]":
    """Send generated requests with one role's token; a fixed seed, so that a failure can be looked at again."""
    return subprocess.run(
        [
            SCHEMATHESIS,
            "run",
            f"{admin.url}/openapi.json",
            "--header",
            f"Authorization: Bearer {admin.token(role)}",
            "--checks=all",
            f"--exclude-checks={LEFT_OUT}",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=2",
            "--seed=1",
            "--continue-on-failure",
            # How long anything takes is not the description's business.
            "--request-timeout=60",
            "--suppress-health-check=too_slow",
            *selection,
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=1_100,
        check=False,
    )


@pytest.mark.timeout(1_200)  # thousands of requests
@pytest.mark.parametrize(
    ("role", "selection"),
    [
        # The stream of events never ends, and clearing takes away what the others look at: they are tested elsewhere.
        (Role.ADMIN, ("--exclude-path-regex=/events$|/clear$", "--exclude-tag=publish")),
        (Role.PUBLISHER, ("--include-tag=publish",)),
    ],
)
def test_every_answer_is_described_and_none_is_a_server_error(admin, publisher, tmp_path, role, selection):
    publisher.queue_message(PHONE, "text", message_id="m1")
    done = attack(admin, tmp_path, role, *selection)
    assert done.returncode == 0, done.stdout[-20_000:]
    assert "request.failed" not in admin.log()
