"""From the hub's users to records: samples, sessions, renamed accounts."""
