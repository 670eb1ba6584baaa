"""Write deploy/rabbitmq/definitions.json again, or with --check say whether it no longer matches the topology.

It is what the default settings ask for, without passwords; `antrian topology definitions` makes one for other settings.
"""

import argparse
import json
import sys
from pathlib import Path

from antrian.broker.definitions import definitions
from antrian.broker.topology import topology
from antrian.domain.settings import load_settings

FILE = Path(__file__).with_name("definitions.json")


def text() -> str:
    """The whole file."""
    settings = load_settings({})
    return json.dumps(definitions(topology(settings), settings.lanes.names), indent=2) + "\n"


def main(arguments: list[str]) -> int:
    """Run the command; the exit code is 1 when --check found a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it differs")
    check = parser.parse_args(arguments).check
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text():
        return 0
    if not check:
        FILE.write_text(text(), encoding="utf-8")
    news = "differs from the topology: run deploy/rabbitmq/generate.py" if check else "was written"
    sys.stdout.write(f"deploy/rabbitmq/{FILE.name} {news}\n")
    return int(check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
