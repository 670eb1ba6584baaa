"""What the private broker is made of; `private_node` puts it together, `antrian.broker.discovery` decides."""
