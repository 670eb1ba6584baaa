"""What a runbook tells people to type is what the program understands."""

import pytest
import runbook

COMMANDS = runbook.commands()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.page}: {' '.join(command.words)}")
def test_the_program_understands_the_command(command: runbook.Command) -> None:
    runbook.understand(command)


def test_there_is_something_to_type_on_every_page() -> None:
    pages = {path.stem for path in runbook.rulebook.RUNBOOKS.glob("Antrian*.md")}

    assert pages == {command.page for command in COMMANDS if command.page != "README"}
