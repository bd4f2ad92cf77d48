"""The rows of the table: each measures the engine against what people would use instead."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sql import sql
from stage import (
    HANGING,
    PYTHON,
    Row,
    Spent,
    compare,
    environment,
    in_slots,
    pytest_command,
    slow_server,
    spend,
)

CHECK_HTTP = "/usr/lib/nagios/plugins/check_http"
ROUNDS = 3
PAUSE = 0.1
"""Seconds that the watched server takes for an answer."""

HTTP = """
import pytest
@pytest.mark.parametrize("number", range({count}))
def test_answers(http, number):
    assert http.get("http://127.0.0.1:{port}/").status_code == 200
"""
TRIVIAL = """
import pytest
@pytest.mark.parametrize("number", range({count}))
def test_passes(number): pass
"""
WAITING = """
import os, pathlib, pytest, time
@pytest.mark.parametrize("number", range({count}))
def test_waits(number):
    pathlib.Path("{folder}", str(os.getpid())).touch()
    while not pathlib.Path("{folder}", "over").exists():
        time.sleep(0.05)
"""


def _suite(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "test_it.py").write_text(text, encoding="utf-8")
    return folder


def trivial(folder: Path, _: str) -> Iterator[Row]:
    """One trivial check, and ten thousand."""
    one = _suite(folder / "one", TRIVIAL.format(count=1))
    taken = compare(
        {
            "slots": lambda: spend(in_slots(one, 16)),
            "pytest": lambda: spend(pytest_command(one)),
        },
        5 * ROUNDS,
        "cpu",
    )
    yield _row("1 trivial check, CPU", taken, "pytest", 1.35)
    many = _suite(folder / "many", TRIVIAL.format(count=10_000))
    taken = compare(
        {
            "slots": lambda: spend(in_slots(many, 16)),
            "pytest": lambda: spend(pytest_command(many)),
        },
        ROUNDS,
    )
    yield _row("10,000 trivial checks, wall", taken, "pytest", 1.2)


def linear(folder: Path, _: str) -> Iterator[Row]:
    """The cost of one check in suites of a hundred to thirty thousand."""
    each = {}
    for count in (100, 1000, 10_000, 30_000):
        suite = _suite(folder / f"of{count}", TRIVIAL.format(count=count))
        each[count] = spend(in_slots(suite, 16)).cpu / count * 1000
        print(f"  {count} checks: {each[count]:.2f} ms of CPU for one")
    shown = (f"{each[30_000]:.2f} ms", f"{each[10_000]:.2f} ms")
    ratio = each[30_000] / each[10_000]
    yield Row("CPU for one check: 30,000 / 10,000 checks", *shown, ratio, 1.2)


def http(folder: Path, xdist: str) -> Iterator[Row]:
    """500 HTTP checks of 100 ms."""
    with slow_server(PAUSE) as port:
        suite = _suite(folder / "http", HTTP.format(count=500, port=port))
        ways: dict[str, Callable[[], Spent]] = {"slots": lambda: spend(in_slots(suite, 32))}
        if Path(CHECK_HTTP).exists():
            each = f"{CHECK_HTTP} -I 127.0.0.1 -p {port} -u /"
            line = f"seq 500 | xargs -P32 -I% sh -c 'exec {each} >/dev/null'"
            ways["xargs -P32 check_http"] = lambda: spend(["sh", "-c", line])
        else:
            print("  check_http is missing: apt-get install monitoring-plugins-basic")
        prove = _prove_suite(folder / "prove", port)
        ways["prove -j32 (HTTP::Tiny)"] = lambda: spend(["prove", "-Q", "-j32", str(prove)])
        taken = compare(ways, ROUNDS)
        distributed = _best_xdist(suite, xdist, ways["slots"]) if xdist else {}
    goals = {"xargs -P32 check_http": 1.0, "prove -j32 (HTTP::Tiny)": 0.1}
    for name, goal in goals.items():
        if name in taken:
            yield _row("500 HTTP checks of 100 ms, wall", taken, name, goal)
    if distributed:
        (best,) = distributed.keys() - {"slots"}
        yield _row("the same", distributed, best, 0.25)


def _prove_suite(folder: Path, port: int) -> Path:
    folder.mkdir()
    for number in range(500):
        (folder / f"{number}.t").write_text(
            "use strict; use warnings; use Test::More tests => 1; use HTTP::Tiny;\n"
            f"is(HTTP::Tiny->new->get('http://127.0.0.1:{port}/')->{{status}}, 200);\n",
            encoding="utf-8",
        )
    return folder


def _best_xdist(suite: Path, python: str, ours: Callable[[], Spent]) -> dict[str, float]:
    """Return what the best number of workers takes, and we in turn with it."""
    taken: dict[str, float] = {}
    for count in (4, 8, 16, 32):
        taken |= compare({f"xdist -n{count}": _xdist(suite, python, count)}, 1)
        print(f"  xdist -n{count}: {taken[f'xdist -n{count}']:.2f} s")
    best = min(taken, key=lambda name: taken[name])
    again = _xdist(suite, python, int(best.removeprefix("xdist -n")))
    return compare({"slots": ours, best: again}, ROUNDS)


def _xdist(suite: Path, python: str, count: int) -> Callable[[], Spent]:
    command = pytest_command(suite, "-p", "xdist", f"-n{count}", python=python)
    return lambda: spend(command)


def hangs(folder: Path, _: str) -> Iterator[Row]:
    """500 checks of 100 ms, of which 5 % hang to their timeout of ten seconds."""
    bad = _suite(folder / "hangs", HANGING.format(which=7))
    well = _suite(folder / "none", HANGING.format(which=-1))
    with_hangs = spend(in_slots(bad, 32, "--timeout=10"), expected=1).wall
    without = spend(in_slots(well, 32, "--timeout=10")).wall
    shown = (f"{with_hangs:.1f} s", f"without: {without:.1f} s")
    yield Row("5 % hang 10 s: seconds more / 10", *shown, (with_hangs - without) / 10, 1.0)


def memory(folder: Path, xdist: str) -> Iterator[Row]:
    """What a slot costs beyond the parent: PSS of all the other processes."""
    ours, ours_whole = _pss_per_worker(folder / "ours", in_slots)
    print(f"  a slot: {ours:.1f} MiB; beyond what pytest takes alone: {ours_whole:.1f} MiB")
    if not xdist:
        return

    def distributed(suite: Path, workers: int) -> list[str]:
        return pytest_command(suite, "-p", "xdist", f"-n{workers}", python=xdist)

    theirs, theirs_whole = _pss_per_worker(folder / "theirs", distributed)
    print(f"  a xdist worker: {theirs:.1f} MiB; beyond pytest alone: {theirs_whole:.1f} MiB")
    shown = (f"{ours:.1f} MiB", f"a xdist worker: {theirs:.1f} MiB")
    yield Row("memory of a slot, PSS", *shown, ours / theirs, 0.25)


def _pss_per_worker(folder: Path, command: Callable[[Path, int], list[str]]) -> tuple[float, float]:
    """Return the MiB for each of sixteen workers: of all but the parent, and more than without.

    PSS divides a page among those that share it. The first figure so charges the workers with most
    of what the parent would have anyway, and the parent with less than it has alone.
    """
    folder.mkdir()
    alone, _ = _pss_of_all(folder / "alone", command, 0)
    total, parent = _pss_of_all(folder / "together", command, 16)
    return (total - parent) / 16 / 1024, (total - alone) / 16 / 1024


def _pss_of_all(
    folder: Path, command: Callable[[Path, int], list[str]], workers: int
) -> tuple[int, int]:
    """Return the PSS of all processes while as many checks wait, and the parent's share of it."""
    checks = max(workers, 1)
    suite = _suite(folder, WAITING.format(count=checks, folder=folder))
    words = command(suite, workers)
    with subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL) as process:
        while sum(each.name.isdigit() for each in folder.iterdir()) < checks:
            time.sleep(0.05)
        family = {pid: _pss(pid) for pid in _family(process.pid)}
        (folder / "over").touch()
        process.wait()
    return sum(family.values()), family[process.pid]


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        for tasks in Path(f"/proc/{each}/task").glob("*/children"):
            found += map(int, tasks.read_text(encoding="ascii").split())
    return found


def _pss(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])


def imports(folder: Path, _: str) -> Iterator[Row]:
    """What the slots add to the start of a pytest that does not use them."""
    one = _suite(folder / "start", TRIVIAL.format(count=1))
    taken = compare(
        {
            "slots": lambda: spend([*in_slots(one, 0)]),
            "pytest": lambda: spend([PYTHON, *pytest_command(one)[1:]]),
        },
        5 * ROUNDS,
        "cpu",
    )
    yield _row("1 trivial check, slots not asked for, CPU", taken, "pytest", 1.05)


def _row(work: str, taken: dict[str, float], against: str, goal: float) -> Row:
    ours, theirs = taken["slots"], taken[against]
    return Row(work, f"{ours:.2f} s", f"{against}: {theirs:.2f} s", ours / theirs, goal)


ROWS = {
    "trivial": trivial,
    "linear": linear,
    "http": http,
    "sql": sql,
    "hangs": hangs,
    "memory": memory,
    "imports": imports,
}
