"""How the admin side does when a million messages wait and ten browsers are open."""
