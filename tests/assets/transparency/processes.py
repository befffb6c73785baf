"""The log's processes, started and ended by a test."""

import os
import signal
import subprocess
import sys

from assets.transparency.signer.client import SocketSigner
from assets.transparency.signer.errors import SignerUnavailableError
from benchmarks.processes import free_port


class Running:
    """The processes of one log."""

    def __init__(self, database, folder):
        self.database, self.folder = database, folder
        self.api_port = free_port()
        (folder / "api.key").write_text("k" * 48)
        self.environment = {
            **os.environ,
            "SIGNALBOX_SIGNER_FOLDER": str(folder),
            "SIGNALBOX_SIGNER_SOCKET": str(folder / "socket"),
            "SIGNALBOX_LOG_ORIGIN": "example.org/log",
            "SIGNALBOX_SECRET_KEY_FILE": str(folder / "api.key"),
            "SIGNALBOX_ENVIRONMENT": "test",
            "SIGNALBOX_API_PORT": str(self.api_port),
            "SIGNALBOX_LOG_POLICY": "",
        }
        self.processes = {}

    def start(self, module, role=None):
        environment = dict(self.environment)
        if role:
            url = self.database.url(role).render_as_string(hide_password=False)
            environment["SIGNALBOX_DATABASE_URL"] = url
        self.processes[module] = subprocess.Popen([sys.executable, "-m", module], env=environment)

    def end(self, module, how=signal.SIGKILL):
        process = self.processes.pop(module)
        process.send_signal(how)
        process.wait(15)

    def signer(self):
        """Its state, when it answers."""
        try:
            return SocketSigner(self.folder / "socket").state()
        except SignerUnavailableError:
            return None

    def ask(self, query):
        with self.database.superuser() as connection:
            return connection.execute(query).fetchall()

    def covered(self):
        (row,) = self.ask("select leaves = quorum_size and leaves > 0 from transparency.coverage")
        return row[0]


SIGNER, PUBLISHER = "assets.transparency.signer", "assets.transparency.publisher"
