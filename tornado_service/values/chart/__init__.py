"""What the chart of zero-to-jupyterhub says of its values, and makes of them."""
