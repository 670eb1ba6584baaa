"""RabbitMQ and nothing else: connection, topology, streams, the scan of a queue, the private node."""
