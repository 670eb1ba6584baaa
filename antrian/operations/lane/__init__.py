"""One lane: how it is doing, and what can be done about it."""
