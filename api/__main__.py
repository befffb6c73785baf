"""`python -m api`: serve the API with uvicorn."""

import logging

import uvicorn

from api.app import create_app
from api.settings import ApiSettings, ListenSettings
from sql.configuration import read_settings


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = create_app(read_settings(ApiSettings))
    listen = read_settings(ListenSettings)
    uvicorn.run(
        app,
        host=listen.api_host,
        port=listen.api_port,
        # Open streams would otherwise hold a stopping server for ever.
        timeout_graceful_shutdown=5,
        server_header=False,
        # uvicorn would believe X-Forwarded-For of whoever is on this machine: api.addresses judges.
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
