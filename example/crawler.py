"""The example's long-running program: it keeps a pid file and answers on a socket."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
SETTINGS = tomllib.loads((HERE / "settings.toml").read_text(encoding="utf-8"))


def main() -> None:
    """Answer on the socket until SIGTERM."""
    pid_file = HERE / SETTINGS["crawler"]["pid_file"]
    address = HERE / SETTINGS["crawler"]["socket"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        pid_file.write_text(f"{os.getpid()}\n", encoding="utf-8")
        listener.bind(str(address))
        listener.listen()
        try:
            while True:
                listener.accept()[0].close()
        finally:
            address.unlink(missing_ok=True)
            pid_file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
