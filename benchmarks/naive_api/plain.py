"""Litestar's plain answer: bytes in memory, for whoever asks. `BENCHMARK_BODY` names the file."""

import os
from pathlib import Path

import uvicorn
from litestar import Litestar, MediaType, Response, get

BODY = Path(os.environ["BENCHMARK_BODY"]).read_bytes()


@get("/v1/signals/{provider:str}/{name:str}/forecasts/latest")
async def latest() -> Response[bytes]:
    return Response(BODY, media_type=MediaType.JSON)


@get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


if __name__ == "__main__":
    uvicorn.run(
        Litestar([latest, ready], openapi_config=None, logging_config=None),
        port=int(os.environ["BENCHMARK_PORT"]),
        server_header=False,
        proxy_headers=False,
    )
