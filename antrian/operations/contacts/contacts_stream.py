"""The contacts stream for those who write into it or look something up: is it there, and what does it say?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from antrian.broker.connection import broker_urls
from antrian.broker.gc_tuning import collect_rarely
from antrian.broker.stream.lookup import NoStream, stream_channel
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook
from antrian.contacts.book_file import book_folder
from antrian.contacts.follower import ContactsFollower, following
from antrian.domain.errors import BrokerError
from antrian.domain.settings import Settings

#: Seconds without progress after which the contacts are not waited for any more.
_PATIENCE = 15.0


def require_contacts_stream(urls: Sequence[str], names: Names) -> None:
    """Make sure that what is written is kept.

    Raises:
        BrokerError: the broker is away, or has no contacts stream.
    """
    try:
        with stream_channel(urls, names.contacts, name="antrian contacts") as channel:
            channel.queue_declare(names.contacts, passive=True)
    except NoStream as error:
        raise BrokerError(f"the broker has no stream {names.contacts}: run `antrian topology apply`") from error


@contextmanager
def own_book(settings: Settings, on_progress: Callable[[int], None] = lambda _position: None) -> Iterator[ContactBook]:
    """A book of one's own, once it has caught up; for a command.

    Args:
        settings: of the process.
        on_progress: takes how far the stream was read.

    Raises:
        BrokerError: the broker is away, or has no contacts stream.
        ContactsBehind: it does not answer.
    """
    urls, names = broker_urls(settings), Names(settings.whatsapp_queue_namespace)
    require_contacts_stream(urls, names)
    collect_rarely()
    follower = ContactsFollower(urls, names, ContactBook(book_folder(settings)), name="antrian contacts")
    with following(follower):
        yield follower.caught_up_book(_PATIENCE, on_progress)
