"""The service's performance, compared with JupyterHub's mixins and a bare Tornado handler."""
