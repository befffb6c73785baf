"""Server-sent events, as the HTML standard has them read (9.2.6, interpreting an event stream)."""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

FIRST_WAIT_S = 3.0
MILLISECONDS = 1000


@dataclass(frozen=True)
class Event:
    """One event of the stream.

    Attributes:
        id: give it as `last_event_id` to go on behind it.
        name: such as `forecast`.
        data: the JSON of it; text where it is none.
    """

    id: str
    name: str
    data: Any


class EventReader:
    """Bytes in any pieces to events.

    Attributes:
        last_event_id: of the last event that was whole; "" before the first.
        wait_s: how long to wait before connecting again.
    """

    def __init__(self, last_event_id: str = "", wait_s: float = FIRST_WAIT_S) -> None:
        self.last_event_id = last_event_id
        self.wait_s = wait_s
        self._id = last_event_id
        self._name = ""
        self._data: list[str] = []
        self._line = ""
        self._begins = True
        self._ended_in_return = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that a piece makes whole. What the stream breaks off in is no event."""
        text = self._decoder.decode(piece)
        if self._begins and text:
            text, self._begins = text.removeprefix("\ufeff"), False
        if self._ended_in_return and text:
            text, self._ended_in_return = text.removeprefix("\n"), False
        if text.endswith("\r"):
            self._ended_in_return = True
        *lines, self._line = (
            (self._line + text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        )
        for line in lines:
            event = self._take(line)
            if event is not None:
                yield event

    def _take(self, line: str) -> Event | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.wait_s = int(value) / MILLISECONDS
        return None

    def _dispatch(self) -> Event | None:
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        self.last_event_id = self._id
        if not data:
            return None
        return Event(self._id, name, _read("\n".join(data)))


def _read(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data
