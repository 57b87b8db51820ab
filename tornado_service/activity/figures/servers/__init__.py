"""Figures of servers: running ones, idle time, usage by profile and name."""
