"""Pages, API and CSV export of groups: one, its members, and several next to each other."""
