"""What the private broker is made of; `antrian.broker.node.private_node` puts it together, `antrian.broker.discovery` says if it is needed."""
