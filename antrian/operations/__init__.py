"""What an operator can do; the command line and the HTTP API both call this."""
