"""A web server that counts how many requests it has at once, and when each came."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class CountingServer(ThreadingHTTPServer):
    """Answers `/PATH` after a pause, and counts by path."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, pause: float) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.pause = pause
        self.lock = threading.Lock()
        self.arrivals: dict[str, list[float]] = {}
        self.most: dict[str, int] = {}
        self.now: dict[str, int] = {}

    @property
    def url(self) -> str:
        """Its address, to which a path is added."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: CountingServer

    def do_GET(self) -> None:
        server, path = self.server, self.path
        with server.lock:
            server.arrivals.setdefault(path, []).append(time.monotonic())
            server.now[path] = server.now.get(path, 0) + 1
            server.most[path] = max(server.now[path], server.most.get(path, 0))
        threading.Event().wait(server.pause)
        with server.lock:
            server.now[path] -= 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests ask the counts."""


@contextmanager
def counting_server(pause: float) -> Iterator[CountingServer]:
    """Yield a running server whose answers take `pause` seconds."""
    server = CountingServer(pause)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
