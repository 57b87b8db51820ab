"""Log lines with redacted secrets, and metrics."""
