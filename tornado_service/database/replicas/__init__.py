"""Several replicas of a service that share a PostgreSQL database. Loaded only with one."""
