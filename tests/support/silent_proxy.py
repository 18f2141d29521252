"""A TCP proxy to Postgres that can become silent: connections stay open, but nothing passes."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator

PAUSE = threading.Event()  # never set: waiting for it is a short pause


class SilentProxy:
    """Carries bytes between a port of 127.0.0.1 and a server's unix socket, unless `silent`.

    A network that drops packets looks like this to the client: it gets no answer, and no sign
    that the peer is gone. New connections are accepted, at least by the kernel, and stay silent.
    """

    def __init__(self, target: str) -> None:
        self.silent = False
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._dropped: set[int] = set()
        self._ended = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def drop_quietly(self) -> None:
        """Stop passing bytes on the open connections; new ones work."""
        self._dropped = {key.fd for key in list(self._selector.get_map().values()) if key.data is not None}

    def close(self) -> None:
        self._ended = True
        self._thread.join(10)
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select(0.05):
                if self.silent or key.fd in self._dropped:
                    PAUSE.wait(0.01)
                    continue
                if key.data is None:
                    self._open()
                else:
                    assert isinstance(key.fileobj, socket.socket)
                    self._carry(key.fileobj, key.data)

    def _open(self) -> None:
        near, _ = self._listener.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(self._target)
        self._selector.register(near, selectors.EVENT_READ, far)
        self._selector.register(far, selectors.EVENT_READ, near)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            data = source.recv(65536)
            if data:
                sink.sendall(data)
                return
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(end)
            end.close()


@contextlib.contextmanager
def silent_proxy(target: str) -> Iterator[SilentProxy]:
    proxy = SilentProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
