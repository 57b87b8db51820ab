"""Headers of requests and responses: what passes, and what the service adds."""
