"""What the owner's own services are told, as Standard Webhooks: signed, tried again, and kept when given up."""
