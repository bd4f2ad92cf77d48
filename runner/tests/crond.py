"""Debian's own cron, in a mount and pid namespace where it knows one crontab and a mail file."""

from __future__ import annotations

import email
import email.policy
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from servers.requirements import program

SPEED = 100
"""How much faster cron's clock runs: five minutes take three seconds."""
STOP_DEADLINE = 20
"""Seconds; the kernel ends the whole pid namespace at once."""

SENDMAIL = """\
#!/bin/sh
cat >{folder}/mail.$$ && mv {folder}/mail.$$ {folder}/$(date +%s.%N).mail
"""

# /usr/sbin gets its sendmail by an overlay, so that nothing is written to this machine; faketime
# keeps files in /dev/shm by its pid, which is 1 each time.
NAMESPACE = """\
set -e
mount --bind crontabs /var/spool/cron/crontabs
mount --bind empty /etc/cron.d
mount --bind /dev/null /etc/crontab
mount --bind run /run
mount -t tmpfs tmpfs /dev/shm
mount -t overlay overlay -o lowerdir=sbin:/usr/sbin /usr/sbin
exec {faketime} -f "+0 x{speed}" {cron} -f -L 15
"""


@dataclass(frozen=True)
class Cron:
    """A cron at work, and what it has mailed."""

    folder: Path

    @property
    def mails(self) -> list[EmailMessage]:
        """Return what cron has mailed, oldest first."""
        files = sorted(self.folder.glob("mails/*.mail"))
        policy = email.policy.default
        return [email.message_from_bytes(each.read_bytes(), policy=policy) for each in files]


@contextmanager
def running_cron(folder: Path, crontab: str) -> Iterator[Cron]:
    """Run cron with root's crontab for as long as the block lasts; its jobs end with it.

    Args:
        folder: an empty one, for the spool and the mails.
        crontab: its lines, for root.
    """
    if os.getuid():
        pytest.fail("cron changes to other users and needs root: sudo script/test", pytrace=False)
    for name in ("crontabs", "empty", "run", "sbin", "mails"):
        folder.joinpath(name).mkdir()
    spool = folder / "crontabs"
    shutil.chown(spool, group="crontab")
    spool.chmod(0o1730)
    spool.joinpath("root").touch(0o600)  # cron refuses a crontab that others may write
    spool.joinpath("root").write_text(f"{crontab}\n")
    sendmail = folder / "sbin/sendmail"
    sendmail.write_text(SENDMAIL.format(folder=shlex.quote(str(folder / "mails"))))
    sendmail.chmod(0o755)
    # What cron says goes to this process's own output, which pytest shows when a test fails.
    with subprocess.Popen(_command(), cwd=folder, stdin=subprocess.DEVNULL) as process:
        try:
            yield Cron(folder)
        finally:
            process.kill()  # unshare ignores TERM; its death is that of the namespace
            process.wait(STOP_DEADLINE)


def _command() -> list[str]:
    script = NAMESPACE.format(
        faketime=program("faketime", what="faketime", package="faketime"),
        cron=program("cron", what="cron", package="cron"),
        speed=SPEED,
    )
    unshare = program("unshare", what="unshare", package="util-linux")
    options = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return [unshare, *options, "--propagation=private", "--", "sh", "-c", script]
