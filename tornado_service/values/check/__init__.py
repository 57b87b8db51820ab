"""``tornado-service values check``: a generator of findings for each part of the values."""
