"""The paced sender."""
