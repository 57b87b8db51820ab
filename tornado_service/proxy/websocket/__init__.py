"""WebSockets to a web app and back."""
