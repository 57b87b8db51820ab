"""``tornado-service demo``: a throw-away hub with the service in it."""
