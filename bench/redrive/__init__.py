"""How fast dead letters are put back, and how fast a lane is cleared."""
