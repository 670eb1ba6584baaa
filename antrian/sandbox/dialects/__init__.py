"""What the sandbox says in each provider's dialect; written from the providers' contracts, not from our adapters."""
