"""Reading a stream: the rules that every reader keeps, and the readers that keep them."""
