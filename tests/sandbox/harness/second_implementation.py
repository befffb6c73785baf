# ruff: noqa: C901, PLR0911, T201 - one table of codes; print is how a model logs
"""A model's side of the protocol in nothing but Python's standard library.

Written from docs/provider/protocol.md alone: if this stops working, either the
document or the platform is wrong. It forecasts nothing: 0.0 for everything, with
quantiles around it, and tells in the log what it was shown.
"""

import os
import struct
import sys

HEADER = struct.Struct("<IB3xI")
INIT, SLOT, TABLE, ROWS, REFUSED, END, CHANGE = 1, 2, 3, 4, 5, 6, 7
READY, HISTORICAL, FORECAST = 64, 65, 66


def receive():
    length, kind, seq = HEADER.unpack(read(HEADER.size))
    return kind, seq, read(length)


def read(size):
    data = b""
    while len(data) < size:
        chunk = os.read(0, size - len(data))
        if not chunk:
            sys.exit("the host is gone")
        data += chunk
    return data


def send(kind, seq, message):
    payload = encode(message)
    data = HEADER.pack(len(payload), kind, seq) + payload
    while data:
        data = data[os.write(1, data) :]


def encode(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, int):
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        return b"\xda" + struct.pack(">H", len(data)) + data
    if isinstance(value, list):
        return b"\xdc" + struct.pack(">H", len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = b"".join(encode(key) + encode(item) for key, item in value.items())
        return b"\xde" + struct.pack(">H", len(value)) + pairs
    if isinstance(value, Timestamp):
        return b"\xc7\x0c\xff" + struct.pack(">Iq", 0, value.seconds)
    raise TypeError(value)


class Timestamp:
    def __init__(self, seconds):
        self.seconds = seconds


def decode(data):
    value, rest = decode_one(data)
    if rest:
        raise ValueError("stray bytes after a message")
    return value


NUMBERS = {
    0xCA: ">f",
    0xCB: ">d",
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
LENGTHS = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I", 0xDC: ">H", 0xDD: ">I", 0xDE: ">H", 0xDF: ">I"}


def decode_one(data):
    code, data = data[0], data[1:]
    if code <= 0x7F:
        return code, data
    if code >= 0xE0:
        return code - 256, data
    if code <= 0x8F:
        return decode_map(code & 15, data)
    if code <= 0x9F:
        return decode_list(code & 15, data)
    if code <= 0xBF:
        return data[: code & 31].decode(), data[code & 31 :]
    if code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[code], data
    if code == 0xD6:  # timestamp 32: type -1 and seconds
        return Timestamp(struct.unpack(">I", data[1:5])[0]), data[5:]
    if code == 0xD7:  # timestamp 64: 30 bits of nanoseconds, 34 of seconds
        return Timestamp(struct.unpack(">Q", data[1:9])[0] & (2**34 - 1)), data[9:]
    if code in NUMBERS:
        size = struct.calcsize(NUMBERS[code])
        return struct.unpack(NUMBERS[code], data[:size])[0], data[size:]
    size = struct.calcsize(LENGTHS[code])
    length, data = struct.unpack(LENGTHS[code], data[:size])[0], data[size:]
    if code in (0xDC, 0xDD):
        return decode_list(length, data)
    if code in (0xDE, 0xDF):
        return decode_map(length, data)
    return data[:length].decode(), data[length:]


def decode_list(length, data):
    items = []
    for _ in range(length):
        item, data = decode_one(data)
        items.append(item)
    return items, data


def decode_map(length, data):
    pairs = {}
    for _ in range(length):
        key, data = decode_one(data)
        pairs[key], data = decode_one(data)
    return pairs, data


def ask(seq, symbol, start, end):
    send(HISTORICAL, seq, {"symbol": symbol, "start": Timestamp(start), "end": Timestamp(end)})
    kind, _, payload = receive()
    if kind == REFUSED:
        return decode(payload)["reason"]
    return f"{len(payload)} bytes of Arrow"


def told(kind, payload):
    if kind == TABLE:
        return f"TABLE of {len(payload)} bytes"
    dropped, kept = struct.unpack("<II", payload[:8])
    rows = list(struct.iter_unpack("<q5d", payload[8:]))
    return f"CHANGE -{dropped} ={kept} +{len(rows)}, closes {[row[4] for row in rows]}"


def main():
    _, _, payload = receive()
    init = decode(payload)
    forecast = init["manifest"]["forecast"]
    print(f"{init['version']} seed {init['seed']}", file=sys.stderr)
    send(READY, 0, {"protocol": 1})
    while True:
        kind, seq, payload = receive()
        if kind == END:
            return
        slot = decode(payload)
        print(f"slot {slot['as_of'].seconds}", file=sys.stderr)
        for symbol in slot["symbols"]:
            kind, _, payload = receive()
            print(symbol, told(kind, payload), file=sys.stderr)
        now = slot["as_of"].seconds
        print(ask(seq, forecast["symbols"][0], now - 3600, now), file=sys.stderr)
        print(ask(seq, "AAPL", now - 3600, now), file=sys.stderr, flush=True)
        rows = [
            {
                "symbol": symbol,
                "horizon_hours": hours,
                "point": 0.0,
                "quantiles": {level: level - 0.5 for level in forecast["quantiles"]},
                "probability_up": None,
            }
            for symbol in forecast["symbols"]
            for hours in forecast["horizons_hours"]
        ]
        send(FORECAST, seq, {"rows": rows})


if __name__ == "__main__":
    main()
