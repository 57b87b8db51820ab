"""What the core itself answers: home, sign-in, API, documentation, status, health."""
