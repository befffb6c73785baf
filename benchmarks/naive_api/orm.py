"""FastAPI, pydantic and SQLAlchemy's ORM over the same database, written as their manuals do.

Each request looks up its key and its subscription, and loads the newest slot's rows as
objects, in four statements. It connects as the superuser, so that row-level security costs
it nothing.
"""

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from sql.models.account import ApiKey, UserAccount
from sql.models.billing import Subscription
from sql.models.forecast import Forecast, Opening, SlotRecord
from sql.models.market import Instrument
from sql.models.registry import Signal, Version

engine = create_async_engine(os.environ["BENCHMARK_DATABASE"], pool_size=16, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


class ForecastOut(BaseModel):
    signal: str
    version: str
    as_of: datetime
    symbol: str
    horizon_hours: int
    target_time: datetime
    point: float
    quantiles: list[tuple[float, float]] | None
    probability_up: float | None
    available_at: datetime
    valid_until: datetime
    provenance: str
    input_digest: str | None
    image_digest: str
    leaf_index: int | None
    proven_at: datetime | None
    is_unopened: bool
    is_sample_data: bool


class PageOut(BaseModel):
    items: list[ForecastOut]
    next: str | None = None


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


DatabaseSession = Annotated[AsyncSession, Depends(session)]


async def person(database: DatabaseSession, authorization: Annotated[str, Header()]) -> UserAccount:
    key = authorization.removeprefix("Bearer ")
    _, _, key_id, secret = key.split("_", 3)
    found = (
        await database.execute(
            select(ApiKey, UserAccount)
            .join(UserAccount, UserAccount.id == ApiKey.user_id)
            .where(ApiKey.id == key_id)
        )
    ).one_or_none()
    digest = hashlib.sha256(secret.encode()).digest()
    if found is None:
        raise HTTPException(401)
    shown, owner = found
    if shown.revoked_at or not hmac.compare_digest(shown.secret_sha256, digest):
        raise HTTPException(401)
    return owner


@app.get("/v1/signals/{provider}/{name}/forecasts/latest")
async def latest(
    provider: str,
    name: str,
    database: DatabaseSession,
    who: Annotated[UserAccount, Depends(person)],
) -> PageOut:
    now = datetime.now(UTC)
    found = (
        await database.execute(
            select(Signal, Subscription)
            .join(UserAccount, UserAccount.id == Signal.provider_id)
            .outerjoin(
                Subscription,
                (Subscription.user_id == who.id)
                & (Subscription.signal_id == Signal.id)
                & Subscription.state.in_(("trialing", "active", "past_due"))
                & (Subscription.period_start <= now)
                & (Subscription.period_end > now),
            )
            .where(UserAccount.handle == provider, Signal.name == name)
        )
    ).first()
    if found is None:
        raise HTTPException(404)
    signal, subscription = found
    if subscription is None:
        raise HTTPException(403)
    newest = (
        await database.execute(
            select(
                SlotRecord,
                Version,
                Opening,
                func.transparency.proven_at(SlotRecord.leaf_index),
                func.forecast.proven_provenance(
                    SlotRecord.provenance,
                    SlotRecord.slot,
                    SlotRecord.leaf_index,
                    timedelta(minutes=10),
                    now,
                ),
            )
            .join(Version, Version.id == SlotRecord.version_id)
            .outerjoin(Opening, Opening.slot_record_id == SlotRecord.id)
            .where(Version.signal_id == signal.id, SlotRecord.provenance.in_(("live", "late")))
            .order_by(SlotRecord.slot.desc(), Version.published_at.desc())
            .limit(1)
        )
    ).one_or_none()
    if newest is None:
        return PageOut(items=[])
    record, version, opening, proven_at, provenance = newest
    rows = await database.execute(
        select(Forecast, Instrument)
        .join(Instrument, Instrument.id == Forecast.instrument_id)
        .where(Forecast.slot_record_id == record.id)
        .order_by(Instrument.symbol, Forecast.horizon_hours)
    )
    return PageOut(
        items=[
            ForecastOut(
                signal=f"{provider}/{signal.name}",
                version=version.version,
                as_of=record.slot,
                symbol=instrument.symbol,
                horizon_hours=forecast.horizon_hours,
                target_time=forecast.target_time,
                point=forecast.point,
                quantiles=forecast.quantiles,
                probability_up=forecast.probability_up,
                available_at=record.recorded_at,
                valid_until=forecast.target_time,
                provenance="live" if provenance == "pending" else str(provenance),
                input_digest=record.input_digest,
                image_digest=record.image_digest,
                leaf_index=record.leaf_index,
                proven_at=proven_at,
                is_unopened=record.leaf_index is not None and opening is None,
                is_sample_data=instrument.is_sample,
            )
            for forecast, instrument in rows
        ]
    )


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(os.environ["BENCHMARK_PORT"]),
        server_header=False,
        proxy_headers=False,
    )
