"""What the owner's own services are told, as Standard Webhooks: signed, again after a failure, and kept when given up."""
