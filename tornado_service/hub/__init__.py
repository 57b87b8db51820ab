"""Calls of the Hub API: client, transport, pagination, models, circuit breaker."""
