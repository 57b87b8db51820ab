"""The records that everything is made of, and the calendar."""
