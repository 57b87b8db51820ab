"""Event streams and web sockets: who has which open, and the events of a channel."""
