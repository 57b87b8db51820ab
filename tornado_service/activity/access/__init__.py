"""Who may see what of the history, and the queries and responses of the API."""
