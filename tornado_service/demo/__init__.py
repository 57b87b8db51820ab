"""``tornado-service demo``: a temporary hub with the service in it."""
