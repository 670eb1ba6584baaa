"""Where this machine keeps RabbitMQ's programs."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

HOW_TO_INSTALL = "install RabbitMQ (Debian, Ubuntu: apt-get install rabbitmq-server; macOS: brew install rabbitmq)"

#: The script that runs the server in the foreground as the user who starts it. Debian's and Red Hat's
#: /usr/sbin/rabbitmq-server is a wrapper that wants to become the service's user: never that one.
_PLACES = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "/opt/rabbitmq*/sbin/rabbitmq-server",
)


def rabbitmq_server(places: Iterable[str] = _PLACES) -> Path | None:
    """Find the foreground `rabbitmq-server` script, the newest where there are several; None if there is none."""
    for pattern in places:
        found = sorted(Path("/").glob(pattern.lstrip("/")), key=_version, reverse=True)
        if found:
            return found[0]
    on_path = shutil.which("rabbitmq-server")
    return Path(on_path) if on_path and _is_the_real_one(Path(on_path)) else None


def epmd() -> Path | None:
    """Find Erlang's port mapper; None if there is none."""
    on_path = shutil.which("epmd")
    if on_path:
        return Path(on_path)
    roots = ("usr/lib/erlang", "usr/lib64/erlang", "opt/homebrew/opt/erlang/lib/erlang", "usr/local/lib/erlang")
    return next((found for root in roots for found in Path("/").glob(f"{root}/erts-*/bin/epmd")), None)


def _version(program: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(program)))


def _is_the_real_one(program: Path) -> bool:
    try:
        return "rabbitmq-env" in program.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
