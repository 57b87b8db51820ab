"""Web apps of any framework behind the hub's sign-in: proxied, with their processes."""
