"""What a `kill -9` just after a send leads to, beside plain pika and Celery."""
