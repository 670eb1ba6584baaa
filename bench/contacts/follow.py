"""A process that reads the contacts stream to its end, says how long that took, and ends.

python -m bench.contacts.follow FOLDER
"""

import json
import resource
import sys
import time
from pathlib import Path

from antrian.broker.gc_tuning import collect_rarely
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook
from antrian.contacts.follower import ContactsFollower, following
from antrian.domain.settings import load_settings

_PATIENCE = 60.0


def main(folder: Path) -> None:
    """Read, and print what it took."""
    settings = load_settings()
    collect_rarely()
    began_at = time.perf_counter()
    names = Names(settings.whatsapp_queue_namespace)
    follower = ContactsFollower(settings.amqp_urls, names, ContactBook(folder), name="antrian bench")
    with following(follower):
        book = follower.caught_up_book(_PATIENCE)
        seconds = time.perf_counter() - began_at
        # Of a long stream, another process of ours has read the most.
        usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        cpu = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        print(json.dumps({"seconds": seconds, "cpu": cpu, "memory": _peak(), "contacts": book.count()}))


def _peak() -> int:
    """The most memory that this program held, bytes; `ru_maxrss` begins with what its parent had."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) * 1_024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
