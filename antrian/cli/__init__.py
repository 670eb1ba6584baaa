"""The command line; `index` is the table of all commands."""
