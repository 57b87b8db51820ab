"""Monthly reports by mail."""
