"""The command line: a table of all commands, each of which is imported when it is called."""

import sys
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final

from antrian.domain.errors import AntrianError, SettingsError, WrongUse

try:
    import typer
    from typer.core import TyperGroup
    from typer.main import get_command, get_group_from_info
    from typer.models import TyperInfo
except ImportError:  # pragma: no cover (an installation for publishing only)
    sys.exit("Error: the command line needs more than a publisher does: pip install 'antrian[all]'")


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One command, or one group of commands.

    Attributes:
        name: what is typed.
        place: where it lives, as `module:attribute`; a function, or a `typer.Typer` for a group.
        summary: for the list of commands; at most 62 characters.
    """

    name: str
    place: str
    summary: str


#: All commands, in the order of the help.
SECTIONS: Final[dict[str, tuple[CommandEntry, ...]]] = {
    "Run": (
        CommandEntry("up", "antrian.cli.up:up", "Start broker, sandbox, consumer and admin side in one go"),
        CommandEntry("consume", "antrian.cli.consume:consume", "Send what is queued, one message at a time"),
        CommandEntry("admin", "antrian.cli.admin:admin", "Serve the HTTP API and the dashboard"),
        CommandEntry("receipts", "antrian.cli.receipts:receipts_app", "Take what providers report by their webhooks"),
        CommandEntry("sandbox", "antrian.cli.sandbox:sandbox", "A stand-in for the provider, which sends nothing"),
        CommandEntry("broker", "antrian.cli.broker:broker_app", "The private RabbitMQ used without AMQP_URL"),
    ),
    "Publish": (
        CommandEntry("publish", "antrian.cli.publish:publish", "Put one message into the queue"),
        CommandEntry(
            "import", "antrian.cli.bulk_import:import_file", "Put the messages of a CSV or JSONL file into the queue"
        ),
        CommandEntry("link", "antrian.cli.link:link", "A link with which a user writes first"),
    ),
    "Look": (
        CommandEntry("status", "antrian.cli.status:status", "What waits, what is being sent, and when"),
        CommandEntry("plan", "antrian.cli.plan:plan", "When so many messages would be sent, and what holds them up"),
        CommandEntry("report", "antrian.cli.report:report", "What was sent in a day, a week or a month"),
        CommandEntry("history", "antrian.cli.history:history_app", "The life of one message; search in all of them"),
        CommandEntry("doctor", "antrian.cli.doctor:doctor", "Is anything wrong, and what to do about it"),
    ),
    "Act": (
        CommandEntry("pause", "antrian.cli.lane:pause", "Stop before the next send, until `resume`"),
        CommandEntry("resume", "antrian.cli.lane:resume", "Go on sending after a pause"),
        CommandEntry("force", "antrian.cli.lane:force", "End the present wait once; resumes a paused lane"),
        CommandEntry("try-one", "antrian.cli.lane:try_one", "Send exactly one message of a paused lane"),
        CommandEntry("cancel", "antrian.cli.lane:cancel", "Cancel one waiting message"),
        CommandEntry("clear", "antrian.cli.lane:clear", "Take out what waits, without sending it"),
        CommandEntry("holds", "antrian.cli.holds_release:holds_app", "What messages wait for, and ending such waits"),
        CommandEntry("undo", "antrian.cli.undo:undo", "Put back what was cleared or deleted"),
    ),
    "Repair and set up": (
        CommandEntry("dead", "antrian.cli.dead:dead_app", "Messages that were given up: look, re-drive, delete"),
        CommandEntry(
            "lanes",
            "antrian.cli.lanes:lanes_app",
            "The lanes: which there are, and serving others",
        ),
        CommandEntry(
            "contacts", "antrian.cli.contacts:contacts_app", "Who is known to a sender; import people who are"
        ),
        CommandEntry("optout", "antrian.cli.optout:optout_app", "Who wants no messages, or none of a purpose"),
        CommandEntry("callbacks", "antrian.cli.callbacks:callbacks_app", "What the owner's services could not be told"),
        CommandEntry("provider", "antrian.cli.provider:provider_app", "An adapter for another provider: its skeleton"),
        CommandEntry("topology", "antrian.cli.topology:topology_app", "The exchanges and queues in the broker"),
        CommandEntry("token", "antrian.cli.token:token_app", "Who may use the HTTP API and the dashboard"),
    ),
}


class Commands(MutableMapping[str, Any]):
    """The commands by name, each imported when it is asked for."""

    def __init__(self) -> None:
        self._entries = {entry.name: entry for section in SECTIONS.values() for entry in section}
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(self._entries[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries


def _load(entry: CommandEntry) -> Any:
    module, attribute = entry.place.split(":")
    target = getattr(import_module(module), attribute)
    if isinstance(target, typer.Typer):
        info = TyperInfo(target, name=entry.name)
        return get_group_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None, suggest_commands=True)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(entry.name)(target)
    return get_command(alone)


class _LazyGroup(TyperGroup):
    """Lists the commands from the table, without importing any."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": {}})
        self.commands = Commands()

    def list_commands(self, _context: Any) -> list[str]:
        return list(self.commands)

    def format_commands(self, _context: Any, formatter: Any) -> None:
        width = max(len(name) for name in self.commands)
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(entry.name.ljust(width), entry.summary) for entry in section])


app = typer.Typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

#: Exit codes: done, failed, wrong use.
FAILED, WRONG_USE = 1, 2


def _show_version(wanted: bool) -> None:  # noqa: FBT001 (Typer's callbacks are called so)
    if wanted:
        typer.echo(f"antrian {version('antrian')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """A paced WhatsApp message queue on RabbitMQ."""


def main() -> None:
    """Run a command; an expected failure ends in one sentence and an exit code."""
    try:
        app()
    except (SettingsError, WrongUse) as error:
        _complain(error, WRONG_USE)
    except AntrianError as error:
        _complain(error, FAILED)


def _complain(error: AntrianError, code: int) -> None:
    # Imported late: a command that succeeds need not wait for it.
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    Console(stderr=True, soft_wrap=True, highlight=False).print(Text("Error: ", style="bold red") + Text(str(error)))
    sys.exit(code)
