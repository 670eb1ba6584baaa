"""The server for providers' webhooks: it verifies, writes down and answers; the work that follows is done elsewhere."""
