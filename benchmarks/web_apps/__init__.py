"""Web apps behind the service, compared with other proxies in front of the same app."""
