"""Values and rules that all processes share: no socket, no SQL, no thread."""
