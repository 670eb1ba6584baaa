"""How long a process takes to know its contacts, and how much memory that needs."""
