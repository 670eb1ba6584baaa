"""What the private broker is made of; `broker.embedded` puts it together, `broker.discovery` says if it is needed."""
