"""A network and file systems of our own in which things get stuck, and a command that runs there.

Called as a program, below `unshare --net --mount`: the folder for the mounts, a relay
`PORT=SOCKET` for each server, `--`, and the command. What the command has left is then written to
`left.json` in that folder.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from servers import requirements
from servers.processes import wait_until

SILENT, TRICKLING, FULL, SWALLOWED = 7001, 7002, 7003, 7004
"""Ports that accept and say nothing, say a byte a second, accept nobody, are a black hole."""
_BYTE_EVERY = 1.0
_RULES = f"""
table inet hole {{
  set ports {{ type inet_service; elements = {{ {SWALLOWED} }} }}
  chain input {{ type filter hook input priority 0; tcp dport @ports drop; }}
}}
"""
_FUSE_INIT = 26
_FUSE_REQUEST = struct.Struct("<IIQQIIII")
"""fuse_in_header: length, what is asked, a number, and who asks for which node."""
_FUSE_ANSWER = struct.Struct("<IiQIIIIHHIIHHI28x")
"""fuse_out_header and fuse_init_out: protocol 7.31, and every limit the smallest."""
_FUSE_BUFFER = 1 << 18
_FORCE, _DETACH = 1, 2  # of umount2(2)
_libc = ctypes.CDLL(None, use_errno=True)


def inside(folder: Path, relays: dict[int, Path], command: Sequence[str]) -> list[str]:
    """Return the command line that runs a command in a wilderness of its own."""
    unshare = requirements.program("unshare", what="unshare", package="util-linux")
    root = ["--map-root-user"] if os.getuid() else []
    pairs = [f"{port}={path}" for port, path in relays.items()]
    program = [sys.executable, "-m", "servers.wilderness", str(folder), *pairs, "--"]
    return [unshare, *root, "--net", "--mount", *program, *command]


def swallow(port: int) -> None:
    """Make a port a black hole from now on, for what is connected too."""
    nft = requirements.program("nft", what="nftables", package="nftables")
    subprocess.run([nft, f"add element inet hole ports {{ {port} }}"], check=True)


def main(folder: Path, relays: Sequence[str], command: Sequence[str]) -> int:
    """Make the wilderness, run the command to its end, and note what it has left."""
    nft = requirements.program("nft", what="nftables", package="nftables")
    ip = requirements.program("ip", what="ip", package="iproute2")
    subprocess.run([ip, "link", "set", "lo", "up"], check=True)
    subprocess.run([nft, "-f", "-"], input=_RULES, text=True, check=True)
    mounts = [folder / "deaf", folder / "mute"]
    kept = [_bad_servers(), *(_mount(each) for each in mounts)]
    _in_background(_read_for_ever, kept[-1])
    for relay in relays:
        port, _, path = relay.partition("=")
        _in_background(_relay, _listener(int(port)), path)
    code = subprocess.run(command, check=False).returncode
    for mount in mounts:  # which ends those that nothing else could end
        _libc.umount2(bytes(mount), _FORCE | _DETACH)
    servers = [relay.partition("=")[2] for relay in relays]
    with suppress(TimeoutError):
        wait_until(lambda: not _sockets_of_others(servers), "the end of all sockets", deadline=5)
    (folder / "left.json").write_text(json.dumps(_sockets_of_others(servers)))
    return code


def _in_background(act: object, *arguments: object) -> None:
    threading.Thread(target=act, args=arguments, daemon=True).start()


def _listener(port: int, backlog: int = 64) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=backlog)


def _bad_servers() -> list[socket.socket]:
    """Return the listeners, and the callers that fill the waiting room of one."""
    kept = [_listener(SILENT), _listener(FULL, backlog=0)]
    for _ in range(2):  # with backlog 0 the kernel keeps one connection, and drops the others
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex(("127.0.0.1", FULL))
        kept.append(caller)
    _in_background(_trickle, _listener(TRICKLING))
    return kept


def _trickle(listener: socket.socket) -> None:
    """Answer one caller with a byte a second."""
    caller, _ = listener.accept()
    caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    clock = threading.Event()
    with suppress(OSError):
        while not clock.wait(_BYTE_EVERY):
            caller.send(b".")
    caller.close()


def _relay(listener: socket.socket, path: str) -> None:
    """Connect each caller to a Unix socket, which no network namespace keeps apart."""
    while True:
        caller, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(path)
        _in_background(_pump, caller, server)
        _in_background(_pump, server, caller)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _mount(folder: Path) -> int:
    """Mount a FUSE file system of which nobody reads the requests, and return its descriptor.

    Who asks it for something waits for ever, and dies only by KILL.
    """
    folder.mkdir()
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if _libc.mount(b"stuck", bytes(folder), b"fuse", 0, options.encode()):
        raise OSError(ctypes.get_errno(), "no FUSE file system can be mounted", str(folder))
    _, what, number, *_ = _FUSE_REQUEST.unpack_from(os.read(device, _FUSE_BUFFER))
    assert what == _FUSE_INIT
    size = _FUSE_ANSWER.size
    limits = (7, 31, 4096, 0, 1, 1, 4096, 1, 1, 0, 0)
    os.write(device, _FUSE_ANSWER.pack(size, 0, number, *limits))
    return device


def _read_for_ever(device: int) -> None:
    """Take each request and answer none: not even KILL ends who waits for it."""
    with suppress(OSError):
        while os.read(device, _FUSE_BUFFER):
            pass


def _sockets_of_others(servers: Collection[str]) -> list[str]:
    """Return the lines of our network's sockets that some process other than us and these has."""
    ours = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            ours.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
    tables = {"tcp": 9, "tcp6": 9, "udp": 9, "unix": 6}  # and the column of the inode
    found = []
    for table, column in tables.items():
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[column] not in {"0", *ours} and words[-1] not in servers:
                found.append(f"{table} {line.strip()}")
    return found


if __name__ == "__main__":
    split = sys.argv.index("--")
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:split], sys.argv[split + 1 :]))
