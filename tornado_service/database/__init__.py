"""Databases of apps: SQLite or PostgreSQL. Not imported before an app opens one."""
