"""`antrian` for programs that a test starts, such as a shell: a small script that has the fork server do the work.

A command of the command line is nine tenths imports, which one test shows to work for each of them
(`test_program_started_by_a_user`). Signals to the script do not reach the command.
"""

import json
import os
import socket
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from antrian_process import AntrianProcess

#: Longest request: words, variables and a folder.
_LONGEST = 1 << 17

_SCRIPT = """#!{python} -IS
import os, socket, sys
import json
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
    control.connect({address!r})
    about = {{"words": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
    socket.send_fds(control, [json.dumps(about).encode()], [0, 1, 2])
    sys.exit(int(control.recv(20)))
"""


class AntrianShim:
    """A folder for the path, with an `antrian` in it; for the time of a `with`.

    Args:
        folder: an empty one, which is made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        address = folder / "control"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(address))
        self._listener.listen()
        script = folder / "antrian"
        script.write_text(_SCRIPT.format(python=sys.executable, address=str(address)))
        script.chmod(0o755)

    def _serve(self) -> None:
        while True:
            try:
                control, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=_run, args=(control,), daemon=True).start()

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _run(control: socket.socket) -> None:
    with control:
        text, streams, _, _ = socket.recv_fds(control, _LONGEST, 3)
        about = json.loads(text)
        process = AntrianProcess(
            about["words"],
            env=about["environment"],
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            cwd=Path(about["folder"]),
        )
        for one in streams:
            os.close(one)
        control.send(str(process.wait() % 256).encode())
