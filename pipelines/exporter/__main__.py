"""`python -m pipelines.exporter`: figures of the whole platform, for Prometheus."""

import signal
import sys

from pipelines.exporter.reader import Reader
from pipelines.exporter.settings import ExporterSettings
from sql import logs
from sql.configuration import read_settings
from sql.metrics_server import MetricsServer
from sql.metrics_token import MetricsToken


def main() -> int:
    """Answer until told to stop."""
    logs.begin("exporter")
    settings = read_settings(ExporterSettings)
    token = MetricsToken(settings.metrics_token_file, settings.environment)
    reader = Reader(settings)
    with MetricsServer(
        settings.exporter_host, settings.exporter_port, token, reader.written
    ) as server:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
