"""Searches every file of a folder for bytes: the proof that something is gone, or where it still is."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SHORTEST = 5
"""Shortest text to search for, bytes; shorter ones are in any file by chance."""

_SLICE = 64
_SLICES = 8


@dataclass(frozen=True)
class Needle:
    """Bytes to search for, their meaning, and longer texts of other people that contain them."""

    what: str
    content: bytes
    not_in: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A file that holds a needle, and the meaning of that needle."""

    file: Path
    what: str


def text_needles(what: str, texts: Iterable[str], others: Iterable[str] = ()) -> Iterator[Needle]:
    """Needles for ids or names. `others`: ids and names of other people, which may contain them."""
    known = [other.encode() for other in others]
    for text in sorted(set(texts)):
        content = text.encode()
        if len(content) >= SHORTEST:
            longer = tuple(other for other in known if content in other and content != other)
            yield Needle(what, content, longer)


def part_needles(what: str, content: bytes) -> Iterator[Needle]:
    """Needles for a template or a picture: pieces from all over it, as a database may store it in parts."""
    if len(content) <= _SLICE:
        yield Needle(what, content)
        return
    step = (len(content) - _SLICE) / _SLICES
    # without the beginning: many pictures have the same header
    for number in range(1, _SLICES + 1):
        piece = content[int(number * step) : int(number * step) + _SLICE]
        if len(set(piece)) > _SLICE // 8:  # padding is no sign of anybody
            yield Needle(what, piece)


def scan(folders: Iterable[Path], needles: Iterable[Needle]) -> list[Hit]:
    """Search every regular file below the folders, and its name.

    Returns:
        Each file and meaning once, in the order of the files.
    """
    wanted = list(needles)
    hits: dict[Hit, None] = {}
    for folder in dict.fromkeys(folders):
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                for needle in wanted:
                    if needle.content in file.name.encode() or _holds(file, needle):
                        hits[Hit(file, needle.what)] = None
    return list(hits)


def _holds(file: Path, needle: Needle) -> bool:
    try:
        with file.open("rb") as opened:
            if opened.seek(0, 2) == 0:
                return False
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return any(not _is_other(content, at, needle) for at in _positions(content, needle.content))
    except FileNotFoundError:  # the log of a database that another process has just closed
        return False


def _positions(content: mmap.mmap, piece: bytes) -> Iterator[int]:
    at = content.find(piece)
    while at >= 0:
        yield at
        at = content.find(piece, at + 1)


def _is_other(content: mmap.mmap, at: int, needle: Needle) -> bool:
    """Whether the bytes at `at` belong to a longer text of somebody else."""
    for other in needle.not_in:
        offset = other.find(needle.content)
        while offset >= 0:
            start = at - offset
            if start >= 0 and content[start : start + len(other)] == other:
                return True
            offset = other.find(needle.content, offset + 1)
    return False
