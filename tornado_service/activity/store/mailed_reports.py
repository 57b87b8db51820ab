"""Which month's report was mailed last: of several processes, one mails it, and once."""

from __future__ import annotations

from sqlalchemy import Connection

from ..schema.metadata import StoreMetadata

#: Seconds after which a process that was to mail a report is taken to have ended.
CLAIM_SECONDS = 1800


def claim(connection: Connection, month: str, now: int) -> bool:
    """Whether to mail the report of a month such as ``2026-10`` now; then no other process does."""
    meta = StoreMetadata.load(connection)
    is_claimed = meta.report_claimed is not None and now < meta.report_claimed + CLAIM_SECONDS
    if is_claimed or meta.report_mailed >= month:
        return False
    meta.save(connection, report_claimed=now)
    return True


def settle(connection: Connection, month: str, *, is_mailed: bool) -> None:
    """Record what came of it: mailed, or to be tried again."""
    meta = StoreMetadata.load(connection)
    values = {"report_mailed": month} if is_mailed else {}
    meta.save(connection, report_claimed=0, **values)
