"""The overview: its page, and the operations behind it."""
