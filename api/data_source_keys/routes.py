"""POST|GET /v1/data-source-keys, DELETE /v1/data-source-keys/{data_source_key_id}."""

import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api import audit
from api.auth.guards import signed_in
from api.bodies import Body
from api.installation import RequestContext
from api.pages import Page
from api.problems import Problem
from api.rows import fetch_all
from api.settings import ApiSettings
from sql.data_source_keys import belongs_to
from sql.envelope import SealingKey

SHOWN = 4


class NewDataSourceKey(Body, frozen=True):
    """`source` is the vendor, such as alpaca; `key` is never shown again."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    source: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,39}$(?!\n)")]
    # Four characters at each end are shown: of a shorter one that would be most of it.
    key: Annotated[str, Meta(min_length=16, max_length=4096)]


class DataSourceKey(msgspec.Struct, frozen=True):
    """`shown` is the first four and the last four characters of the key."""

    id: uuid.UUID
    name: str
    source: str
    shown: str
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@post("/", guards=[signed_in()])
async def create_data_source_key(
    data: JSONBody[NewDataSourceKey], context: RequestContext
) -> DataSourceKey:
    """Store a vendor's key. This process cannot open it again; run workers can."""
    sealing_key = _sealing_key(context.settings)
    user_id = context.person.user_id
    shown = f"{data.key[:SHOWN]}...{data.key[-SHOWN:]}"
    made = DataSourceKey(uuid.uuid4(), data.name, data.source, shown, context.world_now)
    envelope = sealing_key.seal(data.key.encode(), belongs_to(made.id, user_id, made.source))
    async with context.transaction() as connection:
        await connection.execute(
            "insert into account.data_source_key (id, user_id, name, source, shown, created_at,"
            " key_id, wrapped_key, sealed) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(made.id, user_id, made.name, made.source, made.shown, made.created_at),
                *(envelope.key_id, envelope.wrapped_key, envelope.sealed),
            ],
        )
        await audit.record(
            connection, context.now, user_id, "data_source_key.create", str(made.id),
            source=made.source,
        )  # fmt: skip
    return made


@get("/", guards=[signed_in("read", "push")])
async def list_data_source_keys(context: RequestContext) -> Page[DataSourceKey]:
    """Yours, by their first and last characters; what is sealed is never shown."""
    async with context.transaction() as connection:
        rows = await fetch_all(
            connection,
            DataSourceKey,
            "select id, name, source, shown, created_at, revoked_at, last_used_at"
            " from account.data_source_key where user_id = %s order by created_at desc, id",
            [context.person.user_id],
        )
    return Page(rows)


@delete("/{data_source_key_id:uuid}", guards=[signed_in()])
async def delete_data_source_key(
    data_source_key_id: FromPath[uuid.UUID], context: RequestContext
) -> None:
    """Erase what was sealed. That there was a key, and its uses, stay on record."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        changed = await connection.execute(
            "update account.data_source_key set revoked_at = coalesce(revoked_at, %s),"
            " key_id = null, wrapped_key = null, sealed = null where id = %s and user_id = %s",
            [context.world_now, data_source_key_id, user_id],
        )
        if changed.rowcount == 0:
            raise Problem("not_found", "GET /v1/data-source-keys lists the keys you have.")
        await audit.record(
            connection, context.now, user_id, "data_source_key.delete", str(data_source_key_id)
        )


def _sealing_key(settings: ApiSettings) -> SealingKey:
    """Read at each use: the operator may have made a new one.

    Raises:
        Problem: data_source_keys_disabled.
    """
    if settings.data_public_key_file is None:
        raise Problem(
            "data_source_keys_disabled",
            "This installation keeps no data-source keys; its operator may set"
            " SIGNALBOX_DATA_PUBLIC_KEY_FILE.",
        )
    return SealingKey.read(Path(settings.data_public_key_file))


router = Router(
    "/v1/data-source-keys",
    route_handlers=[create_data_source_key, list_data_source_keys, delete_data_source_key],
    tags=["data-source keys"],
)
