"""`python -m api`: serve the API with uvicorn."""

import socket
import sys
from contextlib import suppress

import uvicorn
from litestar import Litestar

from api.app import create_app
from api.events.hub import Hub
from api.settings import ApiSettings, ListenSettings
from sql import logs, traces
from sql.configuration import read_settings
from sql.schema import end_on_other_schema

# What a client does not take for so long closes its connection: a stalled reader of a stream that
# has ended would otherwise keep what is left in the buffer, for as long as it likes.
UNREAD_MS_AT_MOST = 60_000
STARTUP_FAILURE = 3


class Server(uvicorn.Server):
    """Ends streams first when it is told to stop: they would not end by themselves."""

    def __init__(self, config: uvicorn.Config, app: Litestar) -> None:
        super().__init__(config)
        self._events: Hub = app.state.events

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._events.end_all("the server stops: come back with the last id")
        await super().shutdown(sockets)


def main() -> None:
    logs.begin("api")
    traces.begin("api")
    settings = read_settings(ApiSettings)
    end_on_other_schema(settings.database_url)
    app = create_app(settings)
    listen = read_settings(ListenSettings)
    config = uvicorn.Config(
        app,
        host=listen.api_host,
        port=listen.api_port,
        timeout_graceful_shutdown=5,
        server_header=False,
        log_config=None,  # sql/logs.py has it
        # uvicorn would believe X-Forwarded-For of whoever is on this machine: api.addresses judges.
        proxy_headers=False,
    )
    listening = config.bind_socket()
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS_AT_MOST)
    server = Server(config, app)
    with suppress(KeyboardInterrupt):
        server.run([listening])
    if not server.started:
        sys.exit(STARTUP_FAILURE)


if __name__ == "__main__":
    main()
