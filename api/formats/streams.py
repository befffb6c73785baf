"""Tables of any length, written piece by piece: what is held is one chunk of rows.

CSV and JSON are simply continued. An Arrow stream is a schema, record batches and an end, so
of each further chunk only the batches are passed on. Parquet has its index at the end and
is written to disk first.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import msgspec
import polars as pl
from litestar.response import Stream

from api.formats.answers import NOT_KEPT, VARY, AnyRequest, content_type
from api.formats.frames import csv, frame_of, schema_of, written
from api.formats.media_types import ARROW, CSV, EXPORTS, JSON, PARQUET, negotiate
from api.problems import Problem

PIECE_BYTES = 256 * 1024
# The end of an Arrow stream: a continuation marker, and a length of zero.
ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"

R = TypeVar("R", bound=msgspec.Struct)
EXPORT = "export"


async def exported(
    request: AnyRequest, row: type[R], chunks: AsyncIterator[list[R]], name: str
) -> Stream:
    """The answer: CSV unless `Accept` likes another better.

    Its first chunk is read before anything is sent, so that a refusal is one.

    Raises:
        Problem: not_acceptable, or what the first chunk raises.
    """
    media_type = negotiate(",".join(request.headers.getall("accept", [])), EXPORTS)
    if media_type is None:
        raise Problem("not_acceptable", f"Send Accept: {', '.join(EXPORTS)}; or none, for CSV.")
    first = await anext(chunks)
    extension = {CSV: "csv", JSON: "json", PARQUET: "parquet", ARROW: "arrows"}[media_type]
    return Stream(
        _written(media_type, row, _joined(first, chunks)),
        media_type=content_type(media_type),
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{extension}"',
            "Cache-Control": NOT_KEPT,
            "Vary": VARY,
        },
    )


async def _joined(first: list[R], rest: AsyncIterator[list[R]]) -> AsyncIterator[list[R]]:
    yield first
    async for chunk in rest:
        yield chunk


def _written(media_type: str, row: type[R], chunks: AsyncIterator[list[R]]) -> AsyncIterator[bytes]:
    if media_type == JSON:
        return _json(chunks)
    if media_type == PARQUET:
        return _parquet(row, chunks)
    return _continued(media_type, row, chunks)


async def _json(chunks: AsyncIterator[list[R]]) -> AsyncIterator[bytes]:
    separator = b'{"items":['
    async for chunk in chunks:
        if chunk:
            yield separator + msgspec.json.encode(chunk)[1:-1]
            separator = b","
    yield (b"" if separator == b"," else separator) + b'],"next":null}'


async def _continued(
    media_type: str, row: type[R], chunks: AsyncIterator[list[R]]
) -> AsyncIterator[bytes]:
    is_first = True
    async for chunk in chunks:
        yield await asyncio.to_thread(_part, media_type, row, chunk, is_first=is_first)
        is_first = False
    if media_type == ARROW:
        yield ARROW_END


def _part(media_type: str, row: type[R], chunk: list[R], *, is_first: bool) -> bytes:
    frame = frame_of(row, chunk)
    if media_type == CSV:
        return csv(frame, has_header=is_first)
    stream = written(frame, ARROW).removesuffix(ARROW_END)
    return stream if is_first else stream[8 + int.from_bytes(stream[4:8], "little") :]


async def _parquet(row: type[R], chunks: AsyncIterator[list[R]]) -> AsyncIterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="signalbox-export-") as folder:
        parts: list[Path] = []
        async for chunk in chunks:
            parts.append(Path(folder) / f"{len(parts):08}.arrow")
            await asyncio.to_thread(frame_of(row, chunk).write_ipc, parts[-1])
        whole = Path(folder) / "whole.parquet"
        await asyncio.to_thread(_join, row, parts, whole)
        with whole.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece


def _join(row: type[msgspec.Struct], parts: list[Path], whole: Path) -> None:
    pl.scan_ipc(parts).cast(pl.Schema(schema_of(row))).sink_parquet(whole)
