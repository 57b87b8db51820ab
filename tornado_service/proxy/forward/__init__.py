"""HTTP to a web app and back."""
