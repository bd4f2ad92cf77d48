"""Reads what blockdiff_backup writes: `NAME.ver`, and `NAME.N.gz` with `NAME.N.md5` of each run.

The writer puts the files of version N+1 in place, and writes N+1 to `NAME.ver` when all went well;
files beyond that version are those of a run that goes on, or that died.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import pairwise

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.backups.listing import Entry, cannot_read, read_head

NAME = re.compile(
    r"(?P<set>.+?)\.(?:(?P<version>ver)|(?P<number>[1-9]\d*)(?:\.(?P<suffix>md5|gz|lzop|lzo|zst))?)"
)
SET = re.compile(r"(?P<stem>.*?)-?(?P<month>(?:19|20)\d\d(?:0[1-9]|1[0-2]))")
VERSION = re.compile(rb"[1-9][0-9]{0,6}\n")
BLOCK_SIZE_BYTES, DIGEST_BYTES = 4, 16
COMPRESSED = frozenset({".lzop", ".lzo", ".zst"})
"""Suffixes of data whose first bytes only a program can show."""
HEAD = 4096
"""Bytes of a gzip file that surely hold the first bytes of its content."""
EMPTY_FOR, POLL = 1.0, 0.05
"""Seconds: the writer empties `NAME.ver` before it writes the new version into it."""
WRITTEN_AFTER = timedelta(seconds=60)
"""How much later than `NAME.ver` the files of its version may have been touched."""


@dataclass(frozen=True, kw_only=True)
class BlockSet:
    """One set: a full version 1 and the increments since; usually one per month."""

    name: str
    stem: str
    """The name without its month: the volume."""
    month: str
    """`201001`, or "" for a set without one."""
    member: str
    """The configured member that the set belongs to, or "" for nobody's."""
    marker: Entry | None
    """`NAME.ver`, which holds the last good version."""
    data: Mapping[int, Sequence[Entry]]
    sums: Mapping[int, Entry]

    @cached_property
    def marker_text(self) -> bytes:
        """Return what is in `NAME.ver`; an empty one is read again for a second.

        Raises:
            CannotTell: it cannot be read.
        """
        if self.marker is None:
            return b""
        deadline = time.monotonic() + EMPTY_FOR
        try:
            while not (text := read_head(self.marker.path, 64)) and time.monotonic() < deadline:
                time.sleep(POLL)
        except OSError as error:
            raise CannotTell(cannot_read(self.marker.path, error)) from None
        return text

    @cached_property
    def version(self) -> int:
        """Return the last good version; 0 if there is none, or none that can be understood.

        Raises:
            CannotTell: `NAME.ver` cannot be read.
        """
        return int(self.marker_text) if VERSION.fullmatch(self.marker_text) else 0

    @property
    def full(self) -> Entry | None:
        """Return the data file of version 1, if that version is complete."""
        return self.data[1][0] if self.version and 1 in self.data else None

    def increments(self) -> list[Entry]:
        """Return the data files of the versions from 2 on, the oldest first."""
        numbers = range(2, min(self.version, max(self.data, default=0)) + 1)
        return [self.data[number][0] for number in numbers if number in self.data]

    def unfinished(self) -> list[Entry]:
        """Return the files beyond the last good version."""
        beyond = [number for number in {*self.data, *self.sums} if number > self.version]
        return [entry for number in sorted(beyond) for entry in self.files(number)]

    def files(self, number: int) -> list[Entry]:
        """Return the files of a version, the data first."""
        sums = [self.sums[number]] if number in self.sums else []
        return [*self.data.get(number, ()), *sums]


def find_sets(entries: Iterable[Entry], members: Sequence[str]) -> list[BlockSet]:
    """Return the sets in a folder, in the order of their volumes and months."""
    parts: dict[str, list[tuple[re.Match[str], Entry]]] = {}
    for entry in entries:
        if not entry.is_folder and (match := NAME.fullmatch(entry.name)):
            parts.setdefault(match["set"], []).append((match, entry))
    found = (_block_set(name, them, members) for name, them in parts.items())
    return sorted(found, key=lambda one: (one.stem, one.month))


def _block_set(
    name: str, parts: Sequence[tuple[re.Match[str], Entry]], members: Sequence[str]
) -> BlockSet:
    """Return the set that files of one name make."""
    data: dict[int, list[Entry]] = {}
    sums, marker = {}, None
    for match, entry in parts:
        if match["version"]:
            marker = entry
        elif match["suffix"] == "md5":
            sums[int(match["number"])] = entry
        else:
            data.setdefault(int(match["number"]), []).append(entry)
    dated = SET.fullmatch(name)
    stem, month = (dated["stem"], dated["month"]) if dated else (name, "")
    return BlockSet(
        name=name,
        stem=stem,
        month=month,
        member=_member_of(stem, members),
        marker=marker,
        data=data,
        sums=sums,
    )


def _member_of(stem: str, members: Sequence[str]) -> str:
    """Return the longest member that the volume's name is, or begins with before a separator."""
    fitting = [one for one in members if re.match(rf"{re.escape(one)}(?:[-._]|$)", stem)]
    return max(fitting, key=len, default="")


def structure_problems(one: BlockSet) -> list[str]:
    """Return what is missing from a set, or does not fit together, the worst first.

    Raises:
        CannotTell: a file cannot be read.
    """
    text = one.marker_text
    if one.marker is None:
        many = max({*one.data, *one.sums}, default=0)
        return [f"{one.name}.ver is missing, and there are {many} versions"] if many > 1 else []
    if not one.version:
        shown = repr(text.decode(errors="replace")) if text else "empty"
        return [f"{one.name}.ver is {shown} (expected a number and a line's end)"]
    # One past the highest that is there shows what is missing, whatever the number says.
    last = min(one.version, max({*one.data, *one.sums}, default=0) + 1)
    numbers = range(1, last + 1)
    return [
        *(problem for number in numbers for problem in _version_problems(one, number)),
        *_order_problems(one, numbers),
    ]


def _version_problems(one: BlockSet, number: int) -> Iterator[str]:
    """Yield what is wrong with the two files of a version."""
    data, sums = one.data.get(number, ()), one.sums.get(number)
    if sums is None:
        yield f"{one.name}.{number}.md5 is missing"
    elif sums.size <= BLOCK_SIZE_BYTES or (sums.size - BLOCK_SIZE_BYTES) % DIGEST_BYTES:
        yield f"{sums.name}: {sums.size} bytes (expected 4 and 16 for each block)"
    if not data:
        yield f"{one.name}.{number}: its data file is missing"
    elif len(data) > 1:
        yield f"{one.name}.{number} has {len(data)} data files: {data[0].name}, {data[1].name}"
    elif data[0].size <= 0:
        yield f"{data[0].name}: 0 bytes"
    elif sums and (wrong := _header_problem(data[0], sums)):
        yield wrong


def _header_problem(data: Entry, sums: Entry) -> str:
    """Return whether data and checksums begin with different block sizes, or ""."""
    try:
        head, expected = read_head(data.path, HEAD), read_head(sums.path, BLOCK_SIZE_BYTES)
    except OSError as error:
        raise CannotTell(cannot_read(data.path, error)) from None
    if data.path.suffix == ".gz":
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, BLOCK_SIZE_BYTES)
        except zlib.error:
            return f"{data.name} begins like no gzip file"
    elif data.path.suffix in COMPRESSED:
        return ""  # left to the verification
    found = head[:BLOCK_SIZE_BYTES]
    if found == expected:
        return ""
    sizes = [int.from_bytes(raw, "little") for raw in (found, expected)]
    return f"{data.name} has blocks of {sizes[0]} bytes, its .md5 of {sizes[1]}"


def _order_problems(one: BlockSet, numbers: range) -> Iterator[str]:
    """Yield versions that are younger than the next one: it does not build on what is there."""
    times = [
        (number, max(entry.modified for entry in one.files(number)))
        for number in numbers
        if one.files(number)
    ]
    for (number, earlier), (following, later) in pairwise(times):
        if earlier > later:
            yield f"{one.name}.{number} was written after version {following}"
    if one.marker and times and times[-1][1] > one.marker.modified + WRITTEN_AFTER:
        yield f"{one.name}.{times[-1][0]} was written after {one.marker.name}"
