"""Idle time, and usage by profile and by server name: the page, the API and CSV."""
