"""Three replicas of the service behind nginx, a real hub with its proxy, and PostgreSQL."""
