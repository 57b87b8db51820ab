"""What operators see: log lines, secrets struck out of them, and metrics."""
