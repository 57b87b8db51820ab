"""A database with one table, opened as by an app."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table

from tornado_service.database.database import Database, open_database
from tornado_service.database.schema import Schema

SETTING = "c.Notices.database_url"

metadata = MetaData()
notices = Table(
    "notices", metadata, Column("id", Integer, primary_key=True), Column("text", String)
)

SCHEMA = Schema(SETTING, metadata)

ADA = {"id": 1, "text": "ada"}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url, SCHEMA)
    yield opened
    opened.close()
