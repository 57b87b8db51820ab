"""Activity's pages, with the history of a course in class-a."""

RANGE = "from=2026-01-05&to=2026-01-07"
PATHS = ("", "now", "people", "groups", "me", "months", "month/2026-01", "?from=x")


def address(path: str) -> str:
    return f"activity/{path}{'' if '?' in path else '?' + RANGE}"
