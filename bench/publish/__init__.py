"""How fast messages get into the broker, beside bare pika, Celery and Dramatiq."""
