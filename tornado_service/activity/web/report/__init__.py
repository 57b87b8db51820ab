"""The report of a period as one file of HTML, and as JSON."""
