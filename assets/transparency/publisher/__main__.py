"""`python -m assets.transparency.publisher`: make the log public."""

from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import psycopg

from assets.transparency.publisher.process import Publisher
from assets.transparency.publisher.settings import PublisherSettings
from assets.transparency.signer.client import SocketSigner
from sql import logs, traces
from sql.clock import clock_of
from sql.configuration import read_settings
from sql.metrics_token import MetricsToken
from sql.roles import conninfo
from sql.schema import end_on_other_schema


def main() -> NoReturn:
    """Publish until a signal ends it."""
    logs.begin("log")
    traces.begin("log")
    settings = read_settings(PublisherSettings)
    end_on_other_schema(settings.database_url)

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(
            conninfo(settings.database_url), autocommit=True, application_name="signalbox log"
        )

    publisher = Publisher(
        connect,
        SocketSigner(Path(settings.signer_socket)),
        settings.policy(),
        clock_of(settings.environment, settings.demo_clock),
        timedelta(minutes=settings.log_refresh_minutes),
        settings.authority(),
    )
    if settings.log_metrics_port is not None:
        token = MetricsToken(settings.metrics_token_file, settings.environment)
        publisher.measurements.serve(settings.log_metrics_host, settings.log_metrics_port, token)
    publisher.run()


if __name__ == "__main__":
    main()
