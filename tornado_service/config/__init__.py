"""Settings: config files, command lines, secrets."""
