"""What an operator can do about contacts: import those that are known already, look at one, record opt-outs."""
