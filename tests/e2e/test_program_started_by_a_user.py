"""Each command once as a user starts it: an interpreter of its own, which imports what the command needs.

All other tests fork their processes from one that has imported everything (`antrian_process`).
"""

import subprocess

from antrian_process import ANTRIAN

from antrian.cli.index import SECTIONS

#: Those that go on until they are stopped: `antrian up` starts them so in test_up, and test_broker_commands the last.
STAYING = {"up", "consume", "admin", "sandbox", "broker"}


def test_every_command_works_in_a_process_of_its_own(cli, stock, tmp_path):
    (tmp_path / "messages.csv").write_text("phone_number,message\n081234567890,Halo\n")
    stock.add_waiting("m1", "m2")
    stock.add_dead("m3")
    commands = {
        "publish": ("publish", "081234567890", "Halo"),
        "import": ("import", str(tmp_path / "messages.csv")),
        "status": ("status", "--json"),
        "report": ("report",),
        "plan": ("plan", "--messages", "5", "--json"),
        "history": ("history", "search", "--json"),
        "doctor": ("doctor", "--json"),
        "pause": ("pause",),
        "force": ("force",),
        "resume": ("resume",),
        "try-one": ("try-one",),
        "cancel": ("cancel", "m1"),
        "clear": ("clear", "--yes"),
        "holds": ("holds", "release", "--yes"),
        "link": ("link", "Halo", "--sender", "628114040707"),
        "undo": ("undo", "--json"),
        "dead": ("dead", "list", "--json"),
        "topology": ("topology", "plan"),
        "token": ("token", "list"),
        "lanes": ("lanes", "--json"),
        "contacts": ("contacts", "show", "081234567890"),
        "optout": ("optout", "list"),
        "receipts": ("receipts", "urls"),
        "callbacks": ("callbacks", "dead", "list"),
        "provider": ("provider", "new", "kurir", "--into", str(tmp_path)),
    }
    known = {entry.name for section in SECTIONS.values() for entry in section}
    assert known - STAYING <= commands.keys(), "a new command is started here once, too"
    for name in commands.keys() & known:
        done = subprocess.run(
            [ANTRIAN, *commands[name]],
            env=cli.environment(WHATSAPP_WEBHOOK_SECRET="0123456789abcdef"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        # What a command says without a consumer may be that there is none: it is not this test's business.
        assert done.returncode in {0, 1}, f"{name}: {done.stderr}"
        assert "Traceback" not in done.stderr, name
        assert done.stdout or done.stderr.startswith("Error: "), name
