"""The database: one writer, readers, roll-ups, removal of users."""
