"""Reads the journal: from where, how far, entry by entry."""
