"""`python -m assets.transparency.signer`: sign what extends what was signed.

Started as root it becomes the owner of its folder, and can read nothing else.
"""

import os
import signal
import sys
from pathlib import Path

from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.server import SignerServer
from assets.transparency.signer.settings import SignerSettings
from assets.transparency.signer.signer import Signer
from sql import logs
from sql.clock import clock_of
from sql.configuration import read_settings


def main() -> int:
    """Serve until told to stop."""
    logs.begin("signer")
    settings = read_settings(SignerSettings)
    folder = Path(settings.signer_folder)
    become_owner_of(folder)
    kept = SignerFolder(folder)
    kept.prepare(settings.log_origin)
    signer = Signer(kept, clock_of(settings.environment, settings.demo_clock))
    with SignerServer(signer, folder, Path(settings.signer_socket)) as server:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        server.serve_forever()
    return 0


def become_owner_of(folder: Path) -> None:
    """Give up root for the folder's owner; does nothing for others."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


if __name__ == "__main__":
    sys.exit(main())
