"""Event streams and WebSockets: limits by user, and the events of a channel."""
