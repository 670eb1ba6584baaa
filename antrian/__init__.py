"""A paced WhatsApp message queue on RabbitMQ; `from antrian import Publisher` is `from publisher import Publisher`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from publisher import Publisher as Publisher

__all__ = ["Publisher"]


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: the publisher is built on packages of this one.
    if name == "Publisher":
        import publisher  # noqa: PLC0415

        return publisher.Publisher
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
