"""SQLAlchemy's URLs as libpq reads them."""

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from sql.roles import conninfo


@pytest.mark.parametrize("form", [str, make_url])
@pytest.mark.parametrize("driver", ["", "+psycopg", "+psycopg2"])
def test_every_part_of_a_url_reaches_libpq(form, driver):
    url = form(f"postgresql{driver}://ada:x%40%2Fy@/signalbox?host=%2Frun%2Fpostgres&port=5433")
    assert conninfo_to_dict(conninfo(url)) == {
        "user": "ada", "password": "x@/y", "dbname": "signalbox", "host": "/run/postgres",
        "port": "5433",
    }  # fmt: skip
