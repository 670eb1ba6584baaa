"""How close to the delay the sends are, beside a plain pika consumer."""
