"""What counts as a sign of life at a port or a socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from servers.ports import LOOPBACK
from servers.processes import private_folder

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.services import Endpoint, Presence, Protocol, ask, spoken_by

SOON = timedelta(seconds=0.2)
Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves one connection: sends what it is given, and hangs up."""
    with ExitStack() as stack:

        def start(words: bytes) -> int:
            listener = stack.enter_context(socket.create_server((LOOPBACK, 0)))

            def talk() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(words)

            thread = threading.Thread(target=talk)
            thread.start()
            stack.callback(thread.join, 5)
            return int(listener.getsockname()[1])

        yield start


def presence(port: int, protocol: Protocol) -> Presence:
    return ask(Endpoint(address=(LOOPBACK, port), protocol=protocol, patience=SOON)).presence


def test_a_closed_port_is_nobody(closed_port: int) -> None:
    reply = ask(Endpoint(address=(LOOPBACK, closed_port)))

    assert (reply.presence, reply.words) == (Presence.ABSENT, "refuses the connection")


def test_a_bare_connection_is_an_answer_where_we_know_no_better(silent_port: int) -> None:
    assert presence(silent_port, "connect") is Presence.ANSWERS


@pytest.mark.parametrize("protocol", ["greeting", "http", "postgres"])
def test_a_connection_without_a_word_is_silence(silent_port: int, protocol: Protocol) -> None:
    """So does a process that hangs or is stopped: the kernel accepts for it."""
    assert presence(silent_port, protocol) is Presence.SILENT


@pytest.mark.parametrize("protocol", ["greeting", "http", "postgres"])
def test_a_word_is_an_answer(serve: Serve, protocol: Protocol) -> None:
    assert presence(serve(b"N"), protocol) is Presence.ANSWERS


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        pytest.param("http", Presence.ANSWERS, id="a TLS front end hangs up on plain HTTP"),
        pytest.param("greeting", Presence.SILENT, id="a tunnel without its other end hangs up"),
    ],
)
def test_hanging_up_is_a_reaction_only_of_a_web_server(
    serve: Serve, protocol: Protocol, expected: Presence
) -> None:
    assert presence(serve(b""), protocol) is expected


def test_a_web_server_is_asked_about_itself_and_no_page() -> None:
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer((LOOPBACK, 0), Server) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        answer = presence(server.server_port, "http")
        thread.join(5)

    assert (answer, asked) == (Presence.ANSWERS, ["*"])


def test_a_unix_socket_answers() -> None:
    with private_folder(None) as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s"))
        listener.listen()

        assert ask(Endpoint(address=folder / "s")).presence is Presence.ANSWERS


def test_a_socket_without_its_server_is_nobody() -> None:
    with private_folder(None) as folder:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / "s"))

        assert ask(Endpoint(address=folder / "s")).words == "refuses the connection"
        assert ask(Endpoint(address=folder / "t")).words == "does not exist"


def test_a_full_backlog_is_silence() -> None:
    with private_folder(None) as folder, ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(folder / "s"))
        listener.listen(0)
        waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
        waiting.connect(str(folder / "s"))
        reply = ask(Endpoint(address=folder / "s", patience=SOON))

    assert reply.presence is Presence.SILENT


def test_a_host_that_does_not_exist_cannot_be_asked() -> None:
    with pytest.raises(CannotTell, match=r"no\.such\.host\.invalid:80 cannot be asked"):
        ask(Endpoint(address=("no.such.host.invalid", 80)))


def test_a_path_that_no_socket_can_have_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match="AF_UNIX path too long"):
        ask(Endpoint(address=tmp_path / ("s" * 200)))


@pytest.mark.parametrize(
    ("program", "protocol"),
    [("httpd", "http"), ("postgres", "postgres"), ("sshd", "greeting"), ("memcached", "connect")],
)
def test_known_programs_are_asked_in_their_own_protocol(program: str, protocol: Protocol) -> None:
    assert spoken_by(program) == protocol


def test_an_ipv6_address_is_written_as_people_do() -> None:
    assert str(Endpoint(address=("::1", 80))) == "[::1]:80"
