"""Queue one WhatsApp message with pika alone."""

import json
import os
import time
import uuid

import pika


def compose() -> tuple[bytes, pika.BasicProperties]:
    """The message: its body and its properties."""
    body = {
        "version": 1,
        "phone_number": "081234567890",
        "message": "Terima kasih, pembayaran Anda sudah kami terima.",
        "source": "payment",
        "idempotency_key": "invoice-17",
    }
    properties = pika.BasicProperties(
        message_id=str(uuid.uuid4()),
        priority=9,
        delivery_mode=pika.DeliveryMode.Persistent.value,
        timestamp=int(time.time()),
        app_id="payment",
        content_type="application/json",
    )
    return json.dumps(body).encode(), properties


def main() -> None:
    """Publish it; raises UnroutableError for an unknown lane and NackError if the broker refuses."""
    connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
    channel = connection.channel()
    channel.confirm_delivery()
    body, properties = compose()
    channel.basic_publish("wa.messages", "default", body, properties, mandatory=True)
    connection.close()


if __name__ == "__main__":
    main()
