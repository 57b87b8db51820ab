"""Which month's report was mailed last: of several processes, one mails it, and once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ..schema.metadata import StoreMetadata

#: Seconds after which a process that was to mail a report is taken to have ended.
CLAIM_SECONDS = 1800


@dataclass(frozen=True)
class Claim:
    """Whether to mail a report now.

    Attributes:
        is_given: then no other process does.
        is_mailed: one has.
        dropped: an earlier month whose report could not be mailed, and is not tried again.
    """

    is_given: bool = False
    is_mailed: bool = False
    dropped: str = ""


def claim(connection: Connection, month: str, now: int) -> Claim:
    """Claim the report of a month such as ``2026-10``, in a transaction of the only writer."""
    meta = StoreMetadata.load(connection)
    if meta.report_mailed >= month:
        return Claim(is_mailed=True)
    # the clocks of two processes may differ a little
    if abs(now - (meta.report_claimed or 0)) < CLAIM_SECONDS:
        return Claim()
    meta.save(connection, report_claimed=now, report_tried=month)
    is_dropped = meta.report_mailed < meta.report_tried < month
    return Claim(is_given=True, dropped=meta.report_tried if is_dropped else "")


def settle(connection: Connection, month: str, *, is_mailed: bool) -> None:
    """Record what came of it: mailed, or to be tried again."""
    meta = StoreMetadata.load(connection)
    mailed = max(month, meta.report_mailed) if is_mailed else meta.report_mailed
    meta.save(connection, report_claimed=0, report_mailed=mailed)
