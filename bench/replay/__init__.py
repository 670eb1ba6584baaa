"""How long a starting consumer takes to read what has been attempted."""
