"""HTTP/1.1 for clients that offer to go on in HTTP/2, such as Java's own one and `curl --http2`.

A server may ignore the offer (RFC 9110, 7.8), but not the request's body. httptools ends a request with an offer before
its body, and uvicorn would answer it as if it had none.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PlainHttp(HttpToolsProtocol):
    """uvicorn's protocol, for which no request is an upgrade."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Begin a connection."""
        super().connection_made(transport)
        self.parser = _Parser(self)  # type: ignore[assignment] # with the methods that uvicorn calls

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


class _Parser:
    """httptools' parser. After a head that offers an upgrade, it begins again with that head without the offer."""

    def __init__(self, protocol: PlainHttp) -> None:
        self._protocol = protocol
        self._parser = httptools.HttpRequestParser(protocol)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # the parser's other methods
        return getattr(self._parser, name)

    def feed_data(self, data: bytes) -> None:
        """Parse what has arrived.

        Raises:
            HttpParserError: It is no HTTP.
            HttpParserUpgrade: It is CONNECT.
        """
        while True:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as end:
                if not self._protocol.offers_upgrade():
                    raise
                data = self._head() + data[end.args[0] :]
                self._parser = httptools.HttpRequestParser(self._protocol)

    def _head(self) -> bytes:
        version = self._parser.get_http_version().encode()
        line = b"%s %s HTTP/%s" % (self._parser.get_method(), self._protocol.url, version)
        kept = [b"%s: %s" % header for header in self._protocol.headers if header[0] != b"upgrade"]
        return b"\r\n".join([line, *kept, b"", b""])
