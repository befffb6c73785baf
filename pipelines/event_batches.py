"""Dagster's event log, written many events at a time.

Theory of operation: dagster-postgres writes an event in up to five statements, each
with a round trip, and a tick of a thousand versions has some three thousand events.
Events of the kinds that come by the hundred are kept for a moment and then written
by a handful of statements in one transaction, in their order. They are written
before anything else is written or read through this storage (every read begins with
`_connect`), when there are many, and after a moment in any case; a step's end is
an event of another kind, so that it is never in the log before what the step made.
An error of the moment's timer is raised by the next call. A process that is killed
loses at most that moment: facts are in our own tables, and the run that is retried
yields them again.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster._check as check
from dagster import DagsterEventType
from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.migration import ASSET_KEY_INDEX_COLS
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._serdes import serialize_value
from dagster_postgres import PostgresEventLogStorage
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError

KEPT = frozenset(
    {
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.STEP_OUTPUT,
        DagsterEventType.ASSET_MATERIALIZATION,
        DagsterEventType.ASSET_CHECK_EVALUATION,
    }
)
MOST = 200
SECONDS = 0.2

_Numbered = list[tuple[EventLogEntry, int]]


class BatchingEventLogStorage(PostgresEventLogStorage):
    """As PostgresEventLogStorage, with one transaction for many events."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._kept: list[EventLogEntry] = []
        self._keeping = threading.RLock()
        self._timer: threading.Timer | None = None
        self._timers_error: Exception | None = None
        super().__init__(*args, **kwargs)

    def store_event(self, event: EventLogEntry) -> None:
        """Keep it for a moment, or write it after what was kept."""
        self._raise_timers_error()
        if event.dagster_event_type not in KEPT:
            self.flush()
            super().store_event(event)
            return
        with self._keeping:
            self._kept.append(event)
            if self._timer is None:
                self._timer = threading.Timer(SECONDS, self._flush_in_time)
                self._timer.daemon = True
                self._timer.start()
            if len(self._kept) >= MOST:
                self.flush()

    def flush(self) -> None:
        """Write what is kept; one by one, as Dagster does, where that fails."""
        with self._keeping:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            events, self._kept = self._kept, []
            if not events:
                return
            try:
                with self.index_transaction() as connection:
                    planned = self._write(connection, events)
            except SQLAlchemyError:
                for event in events:
                    super().store_event(event)
            else:
                for event, id_ in planned:
                    self.store_asset_check_event(event, id_)

    def dispose(self) -> None:
        """Write what is kept, and let go."""
        self.flush()
        super().dispose()

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        self._raise_timers_error()
        self.flush()
        with super()._connect() as connection:
            yield connection

    def _flush_in_time(self) -> None:
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - raised by whoever comes next
            self._timers_error = error

    def _raise_timers_error(self) -> None:
        error, self._timers_error = self._timers_error, None
        if error is not None:
            raise error

    def _write(self, connection: Connection, events: Sequence[EventLogEntry]) -> _Numbered:
        """Write events and what follows from them; returns evaluations of planned checks."""
        table = SqlEventLogStorageTable
        inserted = connection.execute(
            table.insert().returning(table.c.id, sort_by_parameter_order=True),
            [self._event_to_row(event) for event in events],
        )
        numbered = [(event, int(id_)) for event, (id_,) in zip(events, inserted, strict=True)]
        about_assets = [
            (event, id_)
            for event, id_ in numbered
            if event.dagster_event_type in ASSET_EVENTS and event.get_dagster_event().asset_key
        ]
        if about_assets:
            entries, ids = zip(*about_assets, strict=True)
            self._store_asset_event_tags(connection, entries, ids)
            self._upsert_assets(connection, about_assets)
        return self._insert_evaluations(connection, numbered)

    def _insert_evaluations(self, connection: Connection, events: _Numbered) -> _Numbered:
        """Insert those of checks that no run planned, and return the others."""
        evaluations = {
            (event.run_id, evaluated.asset_key.to_string(), evaluated.check_name): (event, id_)
            for event, id_ in events
            if event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION
            and (evaluated := event.get_dagster_event().asset_check_evaluation_data)
        }
        if not evaluations:
            return []
        table = AssetCheckExecutionsTable
        run_ids = {run_id for run_id, _, _ in evaluations}
        planned = {
            (run_id, asset_key, check_name)
            for run_id, asset_key, check_name in connection.execute(
                select(table.c.run_id, table.c.asset_key, table.c.check_name).where(
                    table.c.run_id.in_(run_ids)
                )
            )
        }
        new = [
            self._evaluation_row(*numbered)
            for key, numbered in evaluations.items()
            if key not in planned
        ]
        if new:
            connection.execute(table.insert(), new)
        return [numbered for key, numbered in evaluations.items() if key in planned]

    def _evaluation_row(self, event: EventLogEntry, id_: int) -> dict[str, Any]:
        evaluated = event.get_dagster_event().asset_check_evaluation_data
        status = AssetCheckExecutionRecordStatus
        target = evaluated.target_materialization_data
        return {
            "asset_key": evaluated.asset_key.to_string(),
            "check_name": evaluated.check_name,
            "run_id": event.run_id,
            "execution_status": (status.SUCCEEDED if evaluated.passed else status.FAILED).value,
            "evaluation_event": serialize_value(event),
            "evaluation_event_timestamp": self._event_insert_timestamp(event),  # type: ignore[no-untyped-call]
            "evaluation_event_storage_id": id_,
            "materialization_event_storage_id": target.storage_id if target else None,
            "partition": evaluated.partition,
        }

    def _upsert_assets(self, connection: Connection, events: _Numbered) -> None:
        has_columns = self.has_secondary_index(ASSET_KEY_INDEX_COLS)
        # A planned event sets other columns than a materialization.
        rows: dict[tuple[str, ...], dict[str, dict[str, Any]]] = {}
        for event, id_ in events:
            values = self._get_asset_entry_values(event, id_, has_columns)
            key = check.not_none(event.get_dagster_event().asset_key).to_string()
            rows.setdefault(tuple(values), {})[key] = {"asset_key": key, **values}
        for columns, by_key in rows.items():
            insert = postgresql.insert(AssetKeyTable)
            upsert = insert.on_conflict_do_update(
                index_elements=[AssetKeyTable.c.asset_key],
                set_={column: insert.excluded[column] for column in columns},
            )
            # Sorted, so that two runs cannot hold what the other waits for.
            connection.execute(upsert, [by_key[key] for key in sorted(by_key)])
