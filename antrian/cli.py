"""The command line: one file that mounts the sub-commands that live beside the code they run."""

import sys

from broker.errors import AntrianError, SettingsError

try:
    import typer
    from rich.console import Console
    from rich.text import Text
except ImportError:  # pragma: no cover (an installation for publishing only)
    sys.exit("Error: the command line needs more than a publisher does: pip install 'antrian[all]'")

from admin_api.access.commands import token_app
from admin_api.bulk.commands import import_file
from admin_api.desk.commands import dead_app
from admin_api.desk.undo_commands import undo
from admin_api.history.commands import history_app
from admin_api.history.report_command import report
from admin_api.lane.commands import cancel, clear, force, pause, resume, status
from admin_api.web.commands import admin
from antrian.doctor.commands import doctor
from antrian.up import up
from broker.commands import broker_app
from broker.terminal import WrongUse
from broker.topology_commands import topology_app
from consumer.commands import consume
from publisher.commands import publish
from sandbox.commands import sandbox

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A paced WhatsApp message queue on RabbitMQ.",
)
app.add_typer(broker_app, name="broker")
app.add_typer(topology_app, name="topology")
app.add_typer(dead_app, name="dead")
app.add_typer(history_app, name="history")
app.add_typer(token_app, name="token")
for command in (consume, admin, sandbox, up, publish):
    app.command()(command)
app.command("import")(import_file)  # a word that no function can have for a name
for action in (status, report, pause, resume, force, clear, undo, cancel, doctor):
    app.command()(action)

#: Exit codes: done, failed, wrong use.
FAILED, WRONG_USE = 1, 2


def main() -> None:
    """Run a command; what goes wrong on purpose ends in one sentence and an exit code."""
    try:
        app()
    except (SettingsError, WrongUse) as error:
        _complain(error, WRONG_USE)
    except AntrianError as error:
        _complain(error, FAILED)


def _complain(error: AntrianError, code: int) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text("Error: ", style="bold red") + Text(str(error)))
    sys.exit(code)
