"""The log: does the signer answer, and is every leaf covered?"""

from collections.abc import Iterator
from pathlib import Path

import psycopg

from assets.installation import Installation
from assets.transparency.coverage import coverage_of
from assets.transparency.signer.client import SocketSigner
from assets.transparency.signer.errors import RefusedError, SignerUnavailableError
from pipelines.operator.doctor.finding import Finding, miss, ok


def examine_signer(socket: Path) -> Iterator[Finding]:
    """Ask it what it signed last; a refusal says why."""
    try:
        state = SocketSigner(socket).state()
    except RefusedError as error:
        yield miss(
            "signer", f"refuses: {error}", "follow docs/operations/log.md, When the signer refuses"
        )
    except SignerUnavailableError as error:
        yield miss("signer", str(error), "start the signer, or look at its log")
    else:
        yield ok("signer", f"signed size {state.size} last")


def examine_log(installation: Installation) -> Iterator[Finding]:
    """Whether checkpoints cover all leaves; nothing where the database does not answer."""
    try:
        with installation.connect() as connection:
            coverage = coverage_of(connection)
    except psycopg.Error:
        return
    said = f"{coverage.leaves} leaves, {coverage.quorum_size} covered by a checkpoint"
    if fault := coverage.fault(installation.clock()):
        yield miss("log", fault, "see whether log and signer run (signer, above), and their logs")
    else:
        yield ok("log", said)
