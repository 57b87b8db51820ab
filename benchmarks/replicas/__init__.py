"""Several replicas of the service, and the database that they share."""
