"""The values of zero-to-jupyterhub's chart: schema, defaults, location."""
