"""How many signed receipts the server for providers' webhooks takes."""
