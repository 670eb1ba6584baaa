"""Starts a broker and all processes in one go."""
