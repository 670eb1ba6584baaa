"""Dead letters: the messages that were given up, and everything an operator can do with them."""
