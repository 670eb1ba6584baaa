"""Meta's own interface to WhatsApp, the Cloud API."""
