"""The dead-letter desk: the messages that were given up, and what can be done about them."""
