"""TCP ports on this machine's loopback address."""

import random
import socket

#: Below the range from which Linux and macOS take the ports of outgoing connections, so that none of those
#: sits on ours after a restart.
_CHOICE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as listener:
        # As servers do: a port whose last connections linger in TIME_WAIT is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> tuple[int, ...]:
    """Choose `count` different free ports at random.

    Raises:
        OSError: the machine has not so many.
    """
    shuffled = random.sample(_CHOICE, len(_CHOICE))
    chosen: list[int] = []
    for port in shuffled:
        if len(chosen) == count:
            return tuple(chosen)
        if is_free(port):
            chosen.append(port)
    raise OSError("no free port on 127.0.0.1")


def free_port() -> int:
    """Choose one; errors as in `free_ports`."""
    return free_ports(1)[0]
