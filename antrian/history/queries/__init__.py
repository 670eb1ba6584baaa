"""Reads the tables."""
