"""``tornado-service doctor``: problems of the running service."""
