"""How each check of the matrix ends: its outcome, what its fact is, and what names the place."""

from __future__ import annotations

from typing import NamedTuple

TIMEOUT = 2.0
LOST = "it closed the descriptors through which its process reports"


class End(NamedTuple):
    """What must be told of a check."""

    outcome: str
    fact: str = ""
    """A pattern."""
    place: str = ""
    """A piece of its stack; empty where the phase alone can be known."""


def _hangs(place: str = "", *, at: str = "", phase: str = "") -> End:
    """Return the end of a check that Python could interrupt, at a line of its own file."""
    elsewhere = rf" \({at}:\d+\)" if at else ""
    return End("timeout", rf"timed out after 2 s{phase} at line \d+{elsewhere}", place)


def _stuck(place: str = "", *, phase: str = "") -> End:
    """Return the end of a check that the engine had to end, and whose line it had to find."""
    return End("timeout", rf"timed out after 2 s{phase} at line \d+", place)


CONNECTING = {
    "ask": _hangs(at="(socket|connection).py"),
    "libpq": _stuck("in libpq"),
    "pymysql": _hangs(at="socket.py"),
}
ENDINGS = {
    "test_query_into_a_black_hole_by_libpq": _stuck("in query_while"),
    "test_query_on_a_stopped_server_by_libpq": _stuck("in query_while"),
    "test_query_into_a_black_hole_by_pymysql": _hangs(at="socket.py"),
    "test_query_on_a_stopped_server_by_pymysql": _hangs(at="socket.py"),
    **{
        f"test_server[{port}-{connect}]": end
        for port in ("silent", "full", "swallowed")
        for connect, end in CONNECTING.items()
    },
    "test_server_that_says_a_byte_a_second": _hangs(at="socket.py"),
    "test_server_that_is_asked_again_and_again": _hangs(at=".+"),
    "test_file_system[deaf]": _stuck("in test_file_system"),
    "test_file_system[mute]": _stuck("in test_file_system"),
    "test_fifo": _hangs(at="pathlib.+"),
    "test_sleep": _hangs(),
    "test_c_loop": _stuck("in test_c_loop"),
    "test_python_loop": _hangs(),
    "test_blocked_signals": _stuck("in test_blocked_signals"),
    "test_ignored_signals": End("timeout", "timed out after 2 s", "sleeping in "),
    "test_swallower": _stuck("in test_swallower"),
    "test_stops_itself": _hangs(),
    "test_child_that_holds_a_pipe": _hangs(at="selectors.py"),
    "test_setup": _hangs(phase=" in setup"),
    "test_teardown": _hangs(phase=" in teardown"),
    "test_stubborn_teardown": _hangs(phase=" in teardown"),
    "test_import": _hangs(at="hanging_module.py"),
    "test_thread_that_is_waited_for": _hangs(at="threading.py"),
    "test_session_finalizer": _hangs(phase=" in teardown"),
    "test_child_that_holds_stdout": End("passed"),
    "test_child_that_ignores_term": End("passed"),
    "test_daemon_that_gets_away": End("passed"),
    "test_thread_that_never_ends": End("passed"),
    "test_exit[0]": End("crashed", "its process exited with 0"),
    "test_exit[7]": End("crashed", "its process exited with 7"),
    "test_abort": End("crashed", r"its process died by SIGABRT at line \d+", "in test_abort"),
    "test_segfault": End("crashed", r"its process died by SIGSEGV at line \d+", "in test_segfault"),
    "test_exit_in_a_thread": End("passed"),
    "test_exit_of_the_interpreter": End("error", "cannot tell: SystemExit: 3"),
    "test_crash_in_setup": End("crashed", "its process exited with 3 in setup"),
    "test_crash_in_teardown": End(
        "crashed", r"its process died by SIGABRT in teardown at line \d+", "in crashing_teardown"
    ),
    "test_kills_its_parent": End("crashed", "the keeper of its process died by SIGKILL"),
    "test_stops_its_parent": _stuck("in test_stops_its_parent"),
    "test_kills_its_group": End("crashed", "its process died by SIGKILL; often .*"),
    "test_fork_bomb": End("timeout", "timed out after 2 s.*"),
    # What is left of its memory decides whether pytest can still put that into words.
    "test_eats_memory": End("error", "(cannot tell|pytest itself failed): MemoryError.*"),
    "test_prints_a_hundred_megabytes": End("passed"),
    "test_writes_without_end": End(
        "crashed",
        r"ended at line \d+: it had written \d+ MiB of output",
        "in test_writes_without_end",
    ),
    "test_closes_every_descriptor": End("crashed", LOST),
    "test_closes_all_and_opens_others": End("crashed", LOST),
    "test_changes_directory": End("passed"),
    "test_changes_umask": End("passed"),
    "test_changes_locale": End("passed"),
    "test_changes_signal_handlers": End("passed"),
}
