"""HTTP/1.1 for clients that offer to go on in HTTP/2, such as Java's own one and `curl --http2`.

A server may ignore the offer (RFC 9110, 7.8), but not the request's body. httptools ends a request with an offer before
its body, and uvicorn would answer it as if it had none.
"""

import asyncio

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PlainHttp(HttpToolsProtocol):
    """uvicorn's protocol, for which no request is an upgrade."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Begin a connection."""
        super().connection_made(transport)
        self.parser = _Parser(self)

    def on_headers_complete(self) -> None:
        """Begin a request, unless it is parsed again without its offer."""
        if not self.offers_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request, unless it is parsed again without its offer."""
        if not self.offers_upgrade():
            super().on_message_complete()

    def offers_upgrade(self) -> bool:
        """Return whether the parser takes the current request for an upgrade because of its headers."""
        return bool(self.parser.should_upgrade()) and any(name == b"upgrade" for name, _ in self.headers)


class _Parser(httptools.HttpRequestParser):
    """httptools' parser. After a head that offers an upgrade, it goes on with that head without the offer."""

    def __init__(self, protocol: PlainHttp) -> None:
        super().__init__(protocol)
        self._protocol = protocol

    def feed_data(self, data: bytes) -> None:  # type: ignore[override] # uvicorn gives only bytes
        """Parse what has arrived.

        Raises:
            HttpParserError: It is no HTTP.
            HttpParserUpgrade: It is CONNECT.
        """
        while True:
            try:
                super().feed_data(data)
                return
            except httptools.HttpParserUpgrade as end:
                if not self._protocol.offers_upgrade():
                    raise
                data = self._head() + data[end.args[0] :]

    def _head(self) -> bytes:
        line = b"%s %s HTTP/%s" % (self.get_method(), self._protocol.url, self.get_http_version().encode())
        kept = [b"%s: %s" % header for header in self._protocol.headers if header[0] != b"upgrade"]
        return b"\r\n".join([line, *kept, b"", b""])
