"""Reads how much of the log is covered by a checkpoint."""

from typing import Any

import psycopg

from sql.coverage import COVERAGE, Coverage


def coverage_of(connection: psycopg.Connection[Any]) -> Coverage:
    """The log as it is now."""
    row = connection.execute(COVERAGE).fetchone()
    assert row is not None  # noqa: S101 - a view of one row
    return Coverage(*row)
