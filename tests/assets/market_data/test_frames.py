"""Bars go through the wire's binary form and come back as the numbers they were."""

from datetime import UTC, datetime

import polars as pl
import psycopg
import pytest

from assets.market_data.frames import UTC_TIME, encoded, read_frame, write_frame

SCHEMA = {"id": pl.Int32(), "big": pl.Int64(), "at": UTC_TIME, "x": pl.Float64(), "y": pl.Float64()}
TABLE = "create temporary table t (id int, big bigint, at timestamptz, x float8, y float8)"
BACK = "select id, big, at, x, y from t order by id"
AT = datetime(1995, 3, 1, 2, 3, 4, 567_891, tzinfo=UTC)


def _frame(**columns):
    given = {"id": [1], "big": [2**40], "at": [AT], "x": [0.1], "y": [-3.5e300]} | columns
    return pl.DataFrame(given, schema_overrides={"at": UTC_TIME})


def test_every_type_comes_back_bit_by_bit_nulls_of_the_last_column_too(worker):
    worker.execute(TABLE)
    frame = _frame(
        id=[1, 2, 3], big=[2**62, 0, -1], at=[AT] * 3, x=[0.1, -0.0, 5e-324], y=[None, 1.0, None]
    )
    write_frame(worker, "t", frame, SCHEMA)
    assert read_frame(worker, BACK, None, SCHEMA).equals(frame.cast(SCHEMA))
    stored = worker.execute("select at, x, y from t order by id").fetchall()
    assert stored == [(AT, 0.1, None), (AT, -0.0, 1.0), (AT, 5e-324, None)]


@pytest.mark.parametrize("kind", [pl.Int64, pl.Int8, pl.UInt32, pl.Float32, pl.Decimal(9, 2)])
def test_volumes_of_any_number_type_are_stored_as_the_numbers_they_are(worker, kind):
    worker.execute(TABLE)
    write_frame(worker, "t", _frame(y=pl.Series([3], dtype=kind)), SCHEMA)
    assert worker.execute("select y from t").fetchone() == (3.0,)


def test_an_uncast_column_is_refused_by_the_encoder():
    with pytest.raises(TypeError, match="column y is UInt8"):
        encoded(_frame(y=pl.Series([3], dtype=pl.UInt8)))


def test_a_number_that_its_column_cannot_hold_is_refused(worker):
    worker.execute(TABLE)
    with pytest.raises(pl.exceptions.InvalidOperationError):
        write_frame(worker, "t", _frame(id=[2**31]), SCHEMA)


def test_a_null_where_none_can_be_is_refused_both_ways(worker):
    worker.execute(TABLE)
    with pytest.raises(ValueError, match="only the last column may be null"):
        write_frame(worker, "t", _frame(x=[None]), SCHEMA)
    worker.execute("insert into t (id, x) values (1, 2)")
    with pytest.raises(ValueError, match="only floats may be null"):
        read_frame(worker, BACK, None, SCHEMA)


def test_no_rows_are_a_frame_of_the_same_columns(worker):
    worker.execute(TABLE)
    write_frame(worker, "t", _frame().clear(), SCHEMA)
    empty = read_frame(worker, BACK, None, SCHEMA)
    assert (len(empty), empty.schema) == (0, pl.Schema(SCHEMA))


def test_the_table_of_bars_holds_no_nan_so_that_nan_can_stand_for_null(database):
    insert = (
        "insert into market.bar values (1, '2020-01-01Z', '2020-01-01 01:00Z',"
        " '2020-01-01 01:00Z', 1, 1, 1, 1, 1, 'NaN')"
    )
    with database.superuser() as connection:
        connection.execute("insert into market.instrument values (1, 'X', '24x7', false)")
        connection.execute(
            "insert into market.ingest_batch values (1, 's', now(), now(), false, 'd', '{}')"
        )
        with pytest.raises(psycopg.errors.CheckViolation, match="prices_consistent"):
            connection.execute(insert)
