"""Pages, API and CSV export."""
