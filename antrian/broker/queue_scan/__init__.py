"""Pipelined work on whole queues: scan, take out, publish in bulk."""
