"""Settings: config files, command lines, and the secrets in them."""
