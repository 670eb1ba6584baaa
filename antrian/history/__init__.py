"""The searchable copy of the journal: a SQLite file that may be deleted, and is made again from the journal."""
