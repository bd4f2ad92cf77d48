"""One more five minutes in the life of the example application: each call changes its data.

1. The crawler's consumers hang: 1396 pages wait in a queue that is meant to stay below 1000.
2. They have been restarted; but the export of the wiki stopped half-way this afternoon.
3. The wiki was exported again: all is well.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
import time
import tomllib
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent
STATE = HERE / "state"
SETTINGS = tomllib.loads((HERE / "settings.toml").read_text(encoding="utf-8"))
WAITING = {
    1: {"updater": 10, "analyze_page": 1396, "set_page_info": 3, "analyze_keyword": 0},
    2: {"updater": 12, "analyze_page": 212, "set_page_info": 0, "analyze_keyword": 1},
    3: {"updater": 9, "analyze_page": 31, "set_page_info": 2, "analyze_keyword": 0},
}
GAP = 12 * 3600
"""Seconds between two exports of a database."""
LEAST = 1800
"""Seconds that the newest export is old at the least: none is just being written."""
DUMPS = 14
"""How many are kept: seven days' worth."""
TABLE = "create table if not exists {} (id integer primary key, url text, created_at text)"
INSERT = "insert into {} (url, created_at) values (?, datetime('now', ?))"
ROWS = "\n".join(f"insert into page values ({row});" for row in range(2000))
DUMP = f"-- PostgreSQL database dump\n{ROWS}\n-- PostgreSQL database dump complete\n"


def main() -> None:
    """Advance by one scene, from the last one to the first."""
    STATE.mkdir(exist_ok=True)
    scene = _next_scene(STATE / "scene")
    fill_queues(WAITING[scene])
    export_databases()
    if scene == 2:  # noqa: PLR2004 - see the module's docstring
        newest = max((STATE / "exports").glob("wiki_*"), key=lambda path: path.stat().st_mtime)
        cut_short(newest)


def _next_scene(marker: Path) -> int:
    last = int(marker.read_text(encoding="utf-8")) if marker.exists() else 0
    scene = last % len(WAITING) + 1
    marker.write_text(str(scene), encoding="utf-8")
    return scene


def fill_queues(waiting: dict[str, int]) -> None:
    """Make the queue tables hold so many rows, the oldest of them as old as it takes."""
    path = SETTINGS["database"]["url"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(HERE / path)) as database, database:
        for table, rows in waiting.items():
            database.execute(TABLE.format(table))
            database.execute(f"delete from {table}")
            ages = (f"-{round(row * 0.3)} seconds" for row in range(rows))
            pages = ((f"https://example.com/{row}", age) for row, age in enumerate(ages))
            database.executemany(INSERT.format(table), pages)


def export_databases() -> None:
    """Write the dumps of the last seven days that are not there yet; delete older ones."""
    folder = HERE / SETTINGS["exports"]["folder"]
    folder.mkdir(exist_ok=True)
    newest = (time.time() - LEAST) // GAP * GAP
    wanted = [newest - number * GAP for number in range(DUMPS)]
    names = SETTINGS["exports"]["databases"]
    paths = {folder / f"{name}_{_stamp(at)}.sql.gz": at for name in names for at in wanted}
    for dump in folder.iterdir():
        if dump not in paths:
            dump.unlink()
    for path, at in paths.items():
        if not path.exists() or not path.stat().st_size:
            path.write_bytes(gzip.compress(DUMP.encode(), mtime=0))
            os.utime(path, (at, at))


def _stamp(at: float) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.localtime(at))


def cut_short(path: Path) -> None:
    """Leave a dump as a full disk would: with its name and without its content."""
    at = path.stat().st_mtime
    path.write_bytes(b"")
    os.utime(path, (at, at))


if __name__ == "__main__":
    main()
