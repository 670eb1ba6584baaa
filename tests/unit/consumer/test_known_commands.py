from antrian.domain.control import Command, Control
from consumer.known_commands import REMEMBERED, KnownCommands


def force(request: str) -> Control:
    return Control(Command.FORCE, "default", "cli:ani", request=request)


def test_a_command_that_comes_twice_is_carried_out_once():
    commands = KnownCommands()
    assert [commands.knows(force(request)) for request in ("a", "b", "a", "b")] == [False, False, True, True]


def test_a_command_without_a_name_is_always_new():
    commands = KnownCommands()
    assert not any(commands.knows(force("")) for _ in range(2))


def test_only_the_latest_are_remembered():
    commands = KnownCommands()
    for number in range(REMEMBERED + 1):
        assert not commands.knows(force(str(number)))
    assert not commands.knows(force("0"))
    assert commands.knows(force(str(REMEMBERED)))
