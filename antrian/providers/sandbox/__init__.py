"""The sandbox's own webhooks; it is sent to as MPWA is."""
