"""Folds the journal's entries into tables."""
