"""Pages that are done as they are written: their shell lines are typed, their programs run."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"

#: What a page leaves to its reader to fill in, and where an answer gives it.
_GIVEN = {
    "MESSAGE_ID": re.compile(r"Message (\S+) is (?:in the queue|dead)"),
    "UNDO_ID": re.compile(r"In the journal this is clearing (\S+)\."),
}


class Reader:
    """Somebody who follows a page.

    Args:
        folder: where he works.
        environment: his variables; the program is on his path.
        known: what stands for words of the page.
        programs: folders that come first on the path.
    """

    def __init__(
        self, folder: Path, environment: dict[str, str], known: dict[str, str], programs: Sequence[Path] = ()
    ) -> None:
        self._folder = folder
        places = [*programs, Path(sys.executable).parent, environment.get("PATH", os.defpath)]
        self._environment = environment | {"PATH": os.pathsep.join(map(str, places))}
        self.known = known
        self.answers: dict[str, str] = {}

    def follow(self, page: str, failing: dict[str, list[int]]) -> None:
        """Do everything that a page says.

        Args:
            page: its path below docs/.
            failing: by line, the exit codes that are to follow, one after the other; then 0 again.
        """
        codes = {line: list(expected) for line, expected in failing.items()}
        text = (DOCS / page).read_text(encoding="utf-8")
        for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
            if language == "python":
                (self._folder / "try_it.py").write_text(block)
            elif language == "sh":
                for line in block.splitlines():
                    self.type(line, codes[line].pop(0) if codes.get(line) else 0)

    def _filled_in(self, line: str) -> str:
        # In one pass: what stands for a word is not searched again (a process of the number 8089 is no port).
        words = re.compile("|".join(re.escape(word) for word in sorted(self.known, key=len, reverse=True)))
        return words.sub(lambda found: self.known[found[0]], line) if self.known else line

    def type(self, line: str, code: int) -> str:
        """Type one line; what is said to it."""
        line = self._filled_in(line)
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, f"{line}\n{said}"
        self.answers[line] = said
        for word, pattern in _GIVEN.items():
            if found := pattern.search(said):
                self.known[word] = found[1]
        return said
