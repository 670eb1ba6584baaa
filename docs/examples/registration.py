"""A registration that lets the user write first, and then queues the payment link."""

import sys

from publisher import Publisher


def invite(publisher: Publisher, registration: str) -> str:
    """What the page shows at once: with one tap the user writes to us, and knows us from then on."""
    return publisher.click_to_start_link(f"Halo, saya mendaftar dengan nomor {registration}.")


def queue_payment_link(publisher: Publisher, phone_number: str, registration: str) -> str:
    """The message itself; the same registration twice is sent once."""
    text = f"Terima kasih sudah mendaftar. Bayar di https://example.com/bayar/{registration}"
    receipt = publisher.queue_message(
        phone_number,
        text,
        priority="high",
        purpose="transaction",
        idempotency_key=f"registration-{registration}",
    )
    return receipt.message_id


def main() -> None:
    """Register the number that is given: show the link first, then queue the message."""
    phone_number, registration = sys.argv[1:]
    with Publisher(source="registration") as publisher:
        print("Show:", invite(publisher, registration))
        print("Queued:", queue_payment_link(publisher, phone_number, registration))


if __name__ == "__main__":
    main()
