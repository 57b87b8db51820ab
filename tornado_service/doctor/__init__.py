"""``tornado-service doctor``: what is wrong with the service that runs here."""
