"""HEAD is GET without its body."""

from litestar.types import Message, Send


def without_body(send: Send) -> Send:
    """Passes on what GET would answer, but for the body; its length stays in the header."""

    async def head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return head
