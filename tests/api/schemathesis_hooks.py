"""What schemathesis cannot write by itself: bodies in MessagePack."""

import msgspec
import schemathesis


@schemathesis.serializer("application/msgpack")
def msgpack_body(_context, value):
    return msgspec.msgpack.encode(_writable(value))


def _writable(value):
    """JSON has integers of any size; MessagePack ends at 64 bits."""
    if isinstance(value, dict):
        return {key: _writable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_writable(each) for each in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float("inf")
    return value
