"""Endpoints of the core: home, sign-in, API, documentation, status, health."""
