"""Authentication: JupyterHub's OAuth, identities, cookies, cross-site requests."""
