"""The command line's help: complete, narrow enough, and cheap."""

import os
import subprocess
import sys

import pytest
import typer
from antrian_process import run_antrian

from antrian.cli.index import SECTIONS, app

GROUPS = [name for name, command in typer.main.get_command(app).commands.items() if hasattr(command, "commands")]

#: Runs a command, and then says which modules it took.
PROGRAM = """
import sys
sys.argv[0] = "antrian"
from antrian.cli.index import main
try:
    main()
except SystemExit:
    print(sorted(sys.modules))
"""


def help_of(*words: str) -> str:
    done = run_antrian(words, env={"PATH": "/usr/bin:/bin", "COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("words", [("--help",), ("-h",), *((group, "-h") for group in GROUPS)])
def test_every_line_of_a_list_of_commands_fits_and_none_is_cut(words):
    lines = help_of(*words).splitlines()[1:]
    assert [line for line in lines if len(line) > 80 or line.endswith("...")] == []


def test_every_entry_of_the_table_leads_to_a_command():
    commands = typer.main.get_command(app).commands
    assert [name for name in commands if not commands[name].help] == []
    assert {entry.name for section in SECTIONS.values() for entry in section} == set(commands)


def test_the_version_is_told():
    assert help_of("--version").startswith("antrian ")


def test_a_mistyped_command_is_guessed():
    done = run_antrian(["publis"], env=os.environ)
    assert (done.returncode, "Did you mean 'publish'?" in done.stderr) == (2, True)


def modules_after(*words: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env={"PATH": "/usr/bin:/bin"} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()[-1]


def test_the_help_imports_none_of_the_commands():
    modules = modules_after("--help")
    heavy = ("pika", "pydantic", "rich", "structlog", "fastapi", "requests", "phonenumbers", "sqlite3")
    assert [name for name in heavy if f"'{name}'" in modules] == []


def test_a_look_at_the_status_imports_nothing_that_only_other_commands_need():
    # No broker is there: what is imported before it is asked is all that the command takes, but for its table.
    modules = modules_after("status", AMQP_URL="amqp://127.0.0.1:1/")
    heavy = ("sqlite3", "fastapi", "requests", "phonenumbers", "structlog", "rich.progress", "rich.live")
    ours = (
        "antrian.broker.queue_scan.scan",
        "antrian.operations.lane.clearing",
        "antrian.cli.watch",
        "antrian.history.queries.history",
    )
    assert "'antrian.operations.lane.lane_reader'" in modules
    assert [name for name in (*heavy, *ours) if f"'{name}'" in modules] == []
