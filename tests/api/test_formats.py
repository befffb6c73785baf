"""Answers in the media type asked for, again only where they changed, and exports of any length."""

import csv
import io
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl
import pytest
from litestar.exceptions import LitestarException
from litestar.testing import TestClient

from api.app import create_app
from api.forecasts import export
from api.forecasts.stored import Forecast
from api.formats.frames import frame_of, schema_of, written
from api.formats.media_types import ARROW, CSV, JSON, MSGPACK, PARQUET, TABLES, negotiate
from api.settings import ApiSettings
from sql.roles import API, DATABASE
from tests.api.conftest import SECRET, SLOT, Factory
from tests.conftest import copied

HOUR = timedelta(hours=1)
READ = {CSV: pl.read_csv, PARQUET: pl.read_parquet, ARROW: pl.read_ipc_stream}


@pytest.fixture(scope="module")
def database(postgres):
    with copied(postgres, "test_formats", DATABASE) as copy:
        yield copy


@pytest.fixture(scope="module")
def app(database, tmp_path_factory):
    secret = tmp_path_factory.mktemp("formats") / "secret"
    secret.write_bytes(SECRET)
    url = database.url(API).render_as_string(hide_password=False)
    return create_app(
        ApiSettings(database_url=url, secret_key_file=str(secret), environment="test")
    )


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def make(database):
    with database.superuser() as connection:
        yield Factory(connection, lambda _: None)


@pytest.fixture(scope="module")
def ada(make):
    return make.person("ada")


@pytest.fixture(scope="module")
def bob(make, tide):
    person = make.person("bob")
    make.subscription(person, tide)
    return person


@pytest.fixture(scope="module")
def tide(make, ada):
    """With 12 slots of two forecasts, and as many bars."""
    published = make.signal(ada)
    for number in range(12):
        make.slot(published, SLOT - number * HOUR, "late" if number % 3 == 0 else "live")
        opens = SLOT - (number + 2) * HOUR
        make.bar(opens, 1.2, batch=1, known=opens + HOUR)
    return published


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", JSON),
        ("application/x-msgpack", "application/x-msgpack"),
        ("application/json;q=0.1, application/msgpack", MSGPACK),
        ("text/*", CSV),
        ("application/json;q=0, */*;q=0.1", MSGPACK),
        ("TEXT/CSV;header=present;Q=0.3", CSV),
        ("application/vnd.apache.parquet;q=0.999, text/csv;q=0.998", PARQUET),
        ("image/png", None),
        ("application/json;q=0", None),
        ("application/json;q=2", JSON),
        ("application/json;q=x, image/png", None),
        (",;,/", JSON),
    ],
)
def test_the_media_type_that_is_liked_best_is_chosen(accept, chosen):
    assert negotiate(accept, TABLES) == chosen


@pytest.mark.parametrize("route", ["/forecasts", "/forecasts/latest", "/forecasts?provenance=late"])
@pytest.mark.parametrize("media_type", [MSGPACK, CSV, PARQUET, ARROW])
def test_each_media_type_says_the_same_as_json(client, tide, bob, route, media_type):
    path = tide.path + route
    rows = client.get(path, headers=bob.headers).json()["items"]
    answer = client.get(path, headers={**bob.headers, "Accept": media_type})
    assert answer.headers["content-type"].partition(";")[0] == media_type
    if media_type == MSGPACK:
        decoded = msgspec.msgpack.decode(answer.content)
        assert msgspec.json.decode(msgspec.json.encode(decoded["items"])) == rows
        return
    frame = READ[media_type](io.BytesIO(answer.content))
    assert frame.columns == list(Forecast.__struct_fields__)
    assert frame["point"].to_list() == [row["point"] for row in rows]
    if media_type == CSV:
        assert frame["as_of"].to_list() == [row["as_of"] for row in rows]
        assert [msgspec.json.decode(text) for text in frame["quantiles"]] == [
            row["quantiles"] for row in rows
        ]
    else:
        assert frame.schema == pl.Schema(schema_of(Forecast))
        assert frame["as_of"].to_list() == [datetime.fromisoformat(row["as_of"]) for row in rows]
        assert frame["quantiles"].to_list() == [row["quantiles"] for row in rows]


def test_the_next_page_of_a_table_is_named_in_a_header(client, tide, bob):
    path = f"{tide.path}/forecasts?limit=5"
    page = client.get(path, headers=bob.headers).json()
    table = client.get(path, headers={**bob.headers, "Accept": CSV})
    assert table.headers["x-next-cursor"] == page["next"]
    assert "x-next-cursor" not in client.get(path, headers=bob.headers).headers


@pytest.mark.usefixtures("tide")
def test_sample_bars_are_labelled_in_tables_too(client, bob):
    path = "/v1/bars?symbol=EURUSD"
    rows = client.get(path, headers=bob.headers).json()["items"]
    table = client.get(path, headers={**bob.headers, "Accept": ARROW})
    assert table.headers["x-signalbox-sample-data"] == "true"
    assert pl.read_ipc_stream(table.content).height == len(rows) > 0


class Cell(msgspec.Struct):
    text: str | None
    number: float | None
    at: datetime


def test_csv_opens_in_a_spreadsheet_without_running_anything():
    at = datetime(2026, 1, 1, 8, 30, 0, 500, tzinfo=UTC)
    evil = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", 'plain, "quoted"\n', "", None]
    body = written(frame_of(Cell, [Cell(text, -1.5, at) for text in evil]), CSV)
    rows = list(csv.reader(io.StringIO(body.decode())))
    assert rows[0] == ["text", "number", "at"]
    texts = [row[0] for row in rows[1:]]
    assert texts == ["'" + text for text in evil[:5]] + [evil[5], "", ""]
    assert {(row[1], row[2]) for row in rows[1:]} == {("-1.5", "2026-01-01T08:30:00.000500Z")}


@pytest.mark.parametrize("path", ["/v1/signals", "/v1/auth/me", "/healthz", "/v1/forecasts/latest"])
def test_what_nobody_can_answer_in_is_406_and_everything_is_messagepack(client, ada, path):
    refused = client.get(path, headers={**ada.headers, "Accept": "image/png"})
    assert (refused.status_code, refused.json()["code"]) == (406, "not_acceptable")
    whole = client.get(path, headers=ada.headers).json()
    packed = client.get(path, headers={**ada.headers, "Accept": MSGPACK})
    assert packed.headers["content-type"] == MSGPACK
    assert msgspec.json.decode(msgspec.json.encode(msgspec.msgpack.decode(packed.content))) == whole


def test_a_refusal_of_what_it_could_answer_in_changes_nothing(client, make, ada):
    body = {"name": "unborn", "scopes": ["read"]}
    headers = {**ada.headers, "Accept": "image/png"}
    assert client.post("/v1/api-keys", json=body, headers=headers).status_code == 406
    found = make.connection.execute("select 1 from account.api_key where name = 'unborn'")
    assert found.fetchone() is None


def test_what_answers_without_a_body_takes_any_accept(client, make, ada):
    (key_id,) = make.connection.execute(
        "insert into account.api_key (id, user_id, name, secret_sha256, scopes, created_at)"
        " values ('0123456789abcdef', %s, 'x', '', '{read}', now()) returning id",
        [ada.id],
    ).fetchone()
    headers = {**ada.headers, "Accept": "image/png"}
    assert client.delete(f"/v1/api-keys/{key_id}", headers=headers).status_code == 204


def test_a_body_may_be_messagepack(client, ada):
    headers = {**ada.headers, "Content-Type": MSGPACK, "Accept": MSGPACK}
    body = msgspec.msgpack.encode({"name": "packed", "scopes": ["read"]})
    made = client.post("/v1/api-keys", content=body, headers=headers)
    assert made.status_code == 201
    assert msgspec.msgpack.decode(made.content)["name"] == "packed"
    for broken, code in (
        (b"\xc1", "invalid_msgpack"),
        (body[:-1], "invalid_msgpack"),
        (b"\x91" * 60_000, "invalid_msgpack"),
        (msgspec.msgpack.encode({"name": "a\0b", "scopes": ["read"]}), "nul_byte"),
        (msgspec.msgpack.encode({"name": "a", "scopes": ["all"]}), "invalid_request"),
        (msgspec.msgpack.encode({"name": b"a", "scopes": 7, "x": 1}), "invalid_request"),
    ):
        answer = client.post("/v1/api-keys", content=broken, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, code)


CONDITIONAL = [
    "/v1/signals", "/v1/signals/ada/tide", "/v1/signals/ada/tide/versions",
    "/v1/signals/ada/tide/versions/v1.0.0", "/v1/signals/ada/tide/performance",
    "/v1/signals/ada/tide/forecasts", "/v1/signals/ada/tide/forecasts?horizon=1",
    "/v1/signals/ada/tide/forecasts/latest", "/v1/forecasts/latest", "/schema/openapi.json",
]  # fmt: skip


@pytest.mark.usefixtures("tide")
@pytest.mark.parametrize("path", CONDITIONAL)
def test_an_unchanged_answer_is_304_without_a_body(client, bob, path):
    first = client.get(path, headers=bob.headers)
    etag = first.headers["etag"]
    for named in (etag, f'"x", W/{etag}', "*"):
        again = client.get(path, headers={**bob.headers, "If-None-Match": named})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    changed = client.get(path, headers={**bob.headers, "If-None-Match": '"x"'})
    assert (changed.status_code, changed.content) == (200, first.content)
    if "schema" not in path:
        assert first.headers["cache-control"] == "private, no-cache"
        assert first.headers["vary"] == "Accept, Authorization"
        packed = client.get(path, headers={**bob.headers, "Accept": MSGPACK, "If-None-Match": etag})
        assert packed.status_code == 200


@pytest.mark.usefixtures("tide")
@pytest.mark.parametrize("path", [*CONDITIONAL, "/healthz", "/v1/subscriptions", "/nowhere"])
def test_head_is_get_without_its_body(client, bob, path):
    whole = client.get(path, headers=bob.headers)
    head = client.head(path, headers=bob.headers)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    ours = {"x-request-id", "ratelimit-remaining", "ratelimit-reset"}
    shown = [{k: v for k, v in one.headers.items() if k not in ours} for one in (head, whole)]
    assert shown[0] == shown[1]


def test_what_is_personal_and_not_worth_asking_again_is_stored_nowhere(client, bob):
    for path in ("/v1/auth/me", "/v1/subscriptions", "/v1/api-keys"):
        answer = client.get(path, headers=bob.headers)
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(export, "ROWS_OF_A_CHUNK", 5)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("media_type", [CSV, JSON, PARQUET, ARROW])
@pytest.mark.parametrize("query", ["", "provenance=late", "to=2020-01-01T00:00:00Z"])
def test_an_export_has_every_row_of_the_list_in_its_order(client, tide, bob, media_type, query):
    rows = client.get(f"{tide.path}/forecasts?limit=1000&{query}", headers=bob.headers).json()
    answer = client.get(
        f"{tide.path}/forecasts/export?{query}", headers={**bob.headers, "Accept": media_type}
    )
    assert answer.headers["content-type"].partition(";")[0] == media_type
    if media_type == JSON:
        assert answer.json() == rows
        return
    frame = READ[media_type](io.BytesIO(answer.content))
    assert frame.columns == list(Forecast.__struct_fields__)
    assert frame["leaf_index"].to_list() == [row["leaf_index"] for row in rows["items"]]
    assert frame["horizon_hours"].to_list() == [row["horizon_hours"] for row in rows["items"]]
    if media_type != CSV:
        assert frame.schema == pl.Schema(schema_of(Forecast))
        assert frame["quantiles"].to_list() == [row["quantiles"] for row in rows["items"]]


@pytest.mark.usefixtures("tide")
def test_bars_are_exported_too(client, bob):
    rows = client.get("/v1/bars?symbol=EURUSD", headers=bob.headers).json()["items"]
    answer = client.get("/v1/bars/export?symbol=EURUSD", headers=bob.headers)
    assert answer.headers["content-disposition"] == 'attachment; filename="EURUSD-bars.csv"'
    assert answer.headers["x-signalbox-sample-data"] == "true"
    assert pl.read_csv(answer.content)["ts_open"].to_list() == [row["ts_open"] for row in rows]


@pytest.mark.usefixtures("small_chunks")
def test_an_export_breaks_off_where_the_subscription_ends_meanwhile(
    client, make, tide, monkeypatch
):
    eve = make.person("eve")
    make.subscription(eve, tide)
    path, whole = f"{tide.path}/forecasts/export", export.chunks

    async def ended(*arguments):
        async for chunk in whole(*arguments):
            yield chunk
            make.connection.execute(
                "update billing.subscription set state = 'canceled'"
                " where user_id = %s and state = 'active'", [eve.id],
            )  # fmt: skip

    monkeypatch.setattr(export, "chunks", ended)
    with pytest.raises(LitestarException):
        client.get(path, headers=eve.headers)
    assert client.get(path, headers=eve.headers).status_code == 403
