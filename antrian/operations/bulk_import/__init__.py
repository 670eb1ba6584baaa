"""Messages from a CSV or JSONL file: checked as a whole, then published."""
