"""Measures the engine side by side with what people would use instead, and prints the table.

`python benchmarks/run.py [--xdist PYTHON] [ROW…]`; PYTHON is the interpreter of an environment with
pytest-xdist, pytest and requests. check_http is monitoring-plugins' (`monitoring-plugins-basic`),
check_pgsql too (`monitoring-plugins-standard`); check_postgres is a package of its own.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import runner_rows
from rows import ROWS as ENGINE_ROWS
from stage import machine

ROWS = ENGINE_ROWS | runner_rows.ROWS


def main() -> None:
    """Measure the rows that are asked for, and print each as it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--xdist", default="", metavar="PYTHON", help="python with pytest-xdist")
    asked = parser.parse_args()
    print(f"Machine: {machine()}\n")
    print("| work | ours | theirs | ratio | goal | reached |\n|---|---|---|---|---|---|")
    for name in asked.rows or ROWS:
        with tempfile.TemporaryDirectory() as folder:
            for row in ROWS[name](Path(folder), asked.xdist):
                print(row, flush=True)


if __name__ == "__main__":
    main()
