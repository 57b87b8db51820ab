"""Databases of apps: SQLite or PostgreSQL. Nothing of it is loaded before an app opens one."""
