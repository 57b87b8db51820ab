"""What the service costs, beside JupyterHub's own mixins and a bare Tornado handler."""
