"""The publisher's loop: wait for leaves, publish, have it cosigned, again.

It is ended by its signal, at any point: what is not committed is done again by the next.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import psycopg

from assets.transparency.anchors import AnchorError, Authority, anchor_newest
from assets.transparency.publisher.cosigners import Cosigners
from assets.transparency.publisher.measurements import Fault, Measurements
from assets.transparency.publisher.publish import (
    RestoredLogError,
    Signed,
    newest,
    publish,
    settle,
)
from assets.transparency.signer.errors import RefusedError, SignerUnavailableError
from assets.transparency.signer.signer import Signs
from signalbox.log.errors import LogError
from signalbox.log.policy import Policy
from sql import traces
from sql.clock import Clock

logger = logging.getLogger("signalbox.log")

CHANNEL = "signalbox_leaf"
PUBLISHER_LOCK = 7  # a session's; others lock by 1 to 4
POLL_SECONDS = 2.0  # a notice may be lost with its connection
PAUSE_SECONDS = 0.2  # leaves that come together share a checkpoint
AFTER_FAULT_SECONDS = 2.0
ANCHOR_SECONDS = 3600.0
AGAIN_SECONDS = 60.0  # where nothing could be stamped


class Publisher:
    """Publishes one log."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        signer: Signs,
        policy: Policy | None,
        clock: Clock,
        refresh: timedelta,
        authority: Authority | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            connect: a new autocommit connection as `signalbox_log`.
            signer: where checkpoints are signed.
            policy: whom to ask, and what makes a quorum; None: the log's own word.
            clock: the platform's now, UTC.
            refresh: a tree that does not grow is signed again after this time.
            authority: stamps a checkpoint each hour; None: nobody does.
        """
        self._connect = connect
        self._signer = signer
        self._policy = policy
        self._clock = clock
        self._refresh_seconds = refresh.total_seconds()
        self._authority = authority
        self._anchor_at = time.monotonic()
        self._cosigners = Cosigners(policy) if policy else None
        self._signed_at = time.monotonic()
        self._fault = ""
        self.measurements = Measurements()

    def run(self) -> NoReturn:
        """Publish; outlives a database or signer that goes and comes back."""
        while True:
            try:
                with self._connect() as connection:
                    self._serve(connection)
            except (LogError, RefusedError, RestoredLogError, SignerUnavailableError) as error:
                self._complain(_kind(error), str(error))
            except psycopg.OperationalError as error:
                self._complain("database", f"lost the database; trying again: {error}")
            time.sleep(AFTER_FAULT_SECONDS)

    def _serve(self, connection: psycopg.Connection[Any]) -> None:
        if not self._is_alone(connection):
            self._complain("other_publisher", "another publisher is at work; waiting for it to end")
            return
        connection.execute(f"listen {CHANNEL}")
        while True:
            self.step(connection)
            self._anchor(connection)
            self._fault = ""
            self.measurements.now_at(None)
            for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                time.sleep(PAUSE_SECONDS)

    def step(self, connection: psycopg.Connection[Any]) -> Signed | None:
        """Publish what is new; then have the newest checkpoint cosigned if it lacks its quorum."""
        again = time.monotonic() - self._signed_at > self._refresh_seconds
        with traces.span("publish") as span:
            signed = publish(connection, self._signer, self._policy, self._clock(), again=again)
            span.set(size=signed.size if signed else 0)
        if signed is not None:
            self._signed_at = time.monotonic()
            self.measurements.signed()
            logger.info("checkpoint %s%s", signed.size, "" if signed.has_quorum else ", no quorum")
        if self._cosigners is None or self._policy is None:
            return signed
        signed = signed or newest(connection)
        if signed is None or signed.has_quorum:
            return signed
        signed = self._cosigners.ask(connection, signed, self._clock)
        return settle(connection, signed, self._policy, self._clock())

    def _anchor(self, connection: psycopg.Connection[Any]) -> None:
        """Have a checkpoint stamped each hour; a fault delays the stamp, nothing else."""
        if self._authority is None or time.monotonic() < self._anchor_at:
            return
        self._anchor_at = time.monotonic() + AGAIN_SECONDS
        try:
            if anchor_newest(connection, self._authority, self._clock()):
                self._anchor_at = time.monotonic() + ANCHOR_SECONDS
        except AnchorError as error:
            logger.warning("no time-stamp: %s", error)

    @staticmethod
    def _is_alone(connection: psycopg.Connection[Any]) -> bool:
        row = connection.execute("select pg_try_advisory_lock(%s)", [PUBLISHER_LOCK]).fetchone()
        return bool(row and row[0])

    def _complain(self, kind: Fault, fault: str) -> None:
        """Once for each fault, not once for each attempt."""
        self.measurements.now_at(kind)
        if fault != self._fault:
            logger.error("%s", fault)
        self._fault = fault


def _kind(error: Exception) -> Fault:
    if isinstance(error, SignerUnavailableError):
        return "signer"
    if isinstance(error, RestoredLogError):
        return "restored"
    return "refused" if isinstance(error, RefusedError) else "tree"
