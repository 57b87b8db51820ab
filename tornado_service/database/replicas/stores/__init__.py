"""What replicas keep in the database that they share."""
