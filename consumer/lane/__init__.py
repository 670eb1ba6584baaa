"""One lane: its tick, and what it decides with."""
