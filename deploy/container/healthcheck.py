"""Whether the process in this container answers: exit code 0 if it does, 1 if it does not.

It asks the address in HEALTH_URL, from within. Plain Python without Antrian, because it runs every few seconds.
"""

import os
import sys
import urllib.request

#: Seconds for the answer.
_PATIENCE = 4


def main() -> int:
    """Ask once."""
    try:
        with urllib.request.urlopen(os.environ["HEALTH_URL"], timeout=_PATIENCE):  # noqa: S310 (our own address)
            return 0
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
