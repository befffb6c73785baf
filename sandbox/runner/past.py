"""A session that may also be asked for a history: all hours of a past at once.

At publication only. What the model computed is then recalled hour by hour, so that
no frame is larger than an ordinary answer.
"""

import time
from datetime import datetime

import msgspec

from sandbox.runner.reads import ReadGuard
from sandbox.runner.run import Feed
from sandbox.runner.session import ANSWERED, Session
from signalbox.protocol import Answer, History, Kind, ModelError, Recall, Slot

# Many hours at once may take longer than one.
LOOK_BACK_SECONDS = 30.0
LOOKED_BACK = frozenset({Kind.HISTORY, Kind.HISTORICAL, Kind.ERROR})


class PastSession(Session):
    """One model process that looks back."""

    def look_back(self, feed: Feed, seq: int, seed: int) -> int:
        """Have `forecast_history` answer for all of a feed; how many hours it has.

        Args:
            feed: `tables` hold all of the past.
            seq: the step, as in `answer`.
            seed: seeds `window.random`.

        Raises:
            Missed: any fault of the model; `alive` says whether it can go on.
        """
        seconds = max(LOOK_BACK_SECONDS, self._limits.timeout_seconds)
        deadline = time.monotonic() + seconds
        with self._step(f"no history within {seconds:g} s") as frames:
            slot = Slot(as_of=feed.as_of, symbols=self._manifest.forecast.symbols, seed=seed)
            self._reveal_tables(frames, slot, seq, feed.tables, deadline, Kind.PAST)
            reads = ReadGuard(self._manifest, feed.as_of, feed.historical)
            message = self._await(frames, seq, deadline, reads, LOOKED_BACK)
            assert isinstance(message, History)  # noqa: S101 - LOOKED_BACK has no other
            frames.channel.drain()
            frames.check_quiet()
        return message.hours

    def recall(self, as_of: datetime, seq: int) -> Answer:
        """One hour of what was looked back on; without rows where the model left it out.

        Raises:
            Missed: as `answer`.
        """
        seconds = self._limits.timeout_seconds
        deadline = time.monotonic() + seconds
        with self._step(f"no answer within {seconds:g} s") as frames:
            payload = msgspec.msgpack.encode(Recall(as_of))
            frames.send(Kind.RECALL, seq, payload, deadline)
            message = frames.receive(seq, ANSWERED - {Kind.HISTORICAL}, deadline)
            if isinstance(message, ModelError):
                raise self._raised(message)
            assert isinstance(message, Answer)  # noqa: S101 - the only other
            frames.channel.drain()
            frames.check_quiet()
        return message
