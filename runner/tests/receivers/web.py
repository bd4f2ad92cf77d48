"""Web and raw servers: Slack's and the watcher's manners, and those of servers that are no help."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

TRICKLE = 0.02
"""Seconds between two bytes of a server that sends one at a time."""


@dataclass(frozen=True)
class Request:
    """What a client asked for."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body's content."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What a server answers: whole, byte by byte, or not at all."""

    status: int = 200
    body: str = "ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Literal["whole", "slow headers", "slow body", "silent", "drop"] = "whole"


SILENCE = Reply(manner="silent")


class WebServer:
    """A web server on a free port, with a script of answers and then an opinion of its own."""

    def __init__(self, opinion: Callable[[Request], Reply]) -> None:
        self.script: list[Reply] = []
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self.opinion = opinion
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reply_to(self, request: Request) -> Reply:
        """Return the script's next answer, or what the server makes of the request."""
        self.requests.append(request)
        return self.script.pop(0) if self.script else self.opinion(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                request = Request(self.command, self.path, dict(self.headers), body)
                _write(self, web.reply_to(request), web.closing)

            do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        return Handler


def _write(handler: BaseHTTPRequestHandler, reply: Reply, closing: threading.Event) -> None:
    if reply.manner == "silent":
        closing.wait()
    if reply.manner in {"silent", "drop"}:
        return
    body = reply.body.encode()
    headers = {"Content-Length": str(len(body)), **reply.headers}
    lines = [
        f"HTTP/1.0 {reply.status} Said",
        *(f"{name}: {text}" for name, text in headers.items()),
    ]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    slow = {"slow headers": (b"", head + body), "slow body": (head, body)}
    at_once, bytewise = slow.get(reply.manner, (head + body, b""))
    try:
        handler.wfile.write(at_once)
        _trickle(handler.wfile.write, bytewise, closing)
    except OSError:
        pass  # the client has given up, which is what it is tested for


def _trickle(write: Callable[[bytes], object], text: bytes, closing: threading.Event) -> None:
    for byte in text:
        write(bytes([byte]))
        if closing.wait(TRICKLE):
            break


def slack_server() -> WebServer:
    """Return a server that takes and refuses what Slack takes and refuses."""
    return WebServer(_as_slack)


def _as_slack(request: Request) -> Reply:
    if not request.path.startswith("/services/"):
        return Reply(404, "no_service")
    try:
        payload = request.json
    except ValueError:
        return Reply(400, "invalid_payload")
    blocks = payload.get("blocks", [])
    if not payload.get("text"):
        return Reply(400, "no_text")
    if len(blocks) > 50 or any(not 0 < len(block["text"]["text"]) <= 3000 for block in blocks):
        return Reply(400, "invalid_blocks")
    return Reply()


def json_server() -> WebServer:
    """Return a server that takes any JSON that is posted to it."""
    return WebServer(_as_collector)


def _as_collector(request: Request) -> Reply:
    if request.method != "POST":
        return Reply(405, "")
    try:
        return Reply(201, json.dumps({"known as": request.json["run"]}))
    except (ValueError, KeyError, TypeError):
        return Reply(400, "")


def healthchecks_server() -> WebServer:
    """Return a server that answers pings as healthchecks.io does."""
    return WebServer(_as_healthchecks)


def _as_healthchecks(request: Request) -> Reply:
    path, _, query = request.path.partition("?")
    if not re.fullmatch(r"/ping/watched(/start|/\d{1,3})?", path):
        return Reply(200, "OK (not found)")
    run = re.search(r"rid=([^&]*)", query)
    if run and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", run[1]):
        return Reply(400, "invalid uuid format")
    return Reply(200, "OK")


@contextmanager
def stubborn_server(
    says: bytes = b"", *, then: Literal["silence", "trickle", "close"] = "silence"
) -> Iterator[int]:
    """Yield the port of a server that speaks first and never listens."""
    closing = threading.Event()

    def talk(client: socket.socket) -> None:
        with client:
            try:
                client.sendall(says)
                if then == "trickle":
                    _trickle(client.sendall, b"220-" + b"x" * 100_000, closing)
                elif then == "silence":
                    closing.wait()
            except OSError:
                pass  # the client has given up, which is what it is tested for

    with socket.create_server(("127.0.0.1", 0)) as server:
        threads = [threading.Thread(target=_accept, args=(server, talk))]
        threads[0].start()
        yield server.getsockname()[1]
        closing.set()
        server.shutdown(socket.SHUT_RDWR)
        threads[0].join()


def _accept(server: socket.socket, talk: Callable[[socket.socket], None]) -> None:
    talkers = []
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            break
        talkers.append(threading.Thread(target=talk, args=(client,)))
        talkers[-1].start()
    for talker in talkers:
        talker.join()
