"""The peer: what one writes first. Take a message, send it, hold it un-acked for the delay, ack it.

`python -m bench.pace.naive_consumer BROKER QUEUE API SENDER DELAY`
"""

import json
import sys
from typing import Any

import pika
import requests
from pika.adapters.blocking_connection import BlockingConnection


def main() -> None:
    """Consume until killed."""
    broker, queue, api, sender, delay = sys.argv[1:]
    connection = BlockingConnection(pika.URLParameters(broker))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)

    def send_then_hold(_channel: object, method: Any, _properties: object, body: bytes) -> None:
        message = json.loads(body)
        fields = {"number": message["phone_number"], "message": message["message"]}
        requests.post(f"{api}/send-message", json={"api_key": "bench", "sender": sender, **fields}, timeout=30)
        connection.sleep(float(delay))  # by process_data_events, so heartbeats go on
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume(queue, send_then_hold)
    channel.start_consuming()


if __name__ == "__main__":
    main()
