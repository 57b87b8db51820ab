"""Isolation of apps: threads, time limits, the watchdog."""
