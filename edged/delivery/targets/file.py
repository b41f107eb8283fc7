"""The target `file`: JSON lines or CSV in a folder, for programs that pick up files. Sends nothing.

The disk decides: at the start the target reads the end of the newest file, cuts off half a line (a power
cut), and does not write again what is there already.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from edged.clock import Clock
from edged.config.delivery_section import TargetConfig
from edged.delivery.target import Message, Receipt
from edged.errors import NeedsOperator
from edged.spreadsheets import disarmed

CSV_COLUMNS = (
    "recordId", "seq", "deviceId", "site", "kind", "event", "time", "historic", "mode", "result",
    "userId", "name", "direction", "repeated", "action", "punchTime", "score", "threshold", "margin",
    "engine", "reasons", "doorId", "cameraId", "passageId", "decisionId", "punchId", "corrects", "reason",
    "author", "data",
)  # fmt: skip
_MOST_BATCH = 500
_TAIL_BYTES = 64 * 1024
_LINE_BYTES = 16 * 1024 * 1024  # longest line to search for at the end of a file: a record with its picture


class FileTarget:
    """Appends to `NAME-2026-11-21.jsonl`, then `NAME-2026-11-21.1.jsonl` when that is full, and so on.

    Args:
        zone: zone of the days in the names of files.
    """

    batch = _MOST_BATCH

    def __init__(self, settings: TargetConfig, clock: Clock, *, zone: tzinfo) -> None:
        assert settings.file.folder is not None
        self._name = settings.name
        self._folder = settings.file.folder
        self._format = settings.file.format
        self._most_bytes = int(settings.file.rotate_mb * 1_000_000)
        self._daily = settings.file.rotate_daily
        self._clock = clock
        self._zone = zone
        self._pattern = re.compile(
            rf"{re.escape(settings.name)}-(\d{{4}}-\d\d-\d\d)(?:\.(\d+))?\.{self._format}"
        )
        self._stream: io.FileIO | None = None
        self._current: tuple[str, int] | None = None  # day and number of the open file
        self._last_id = ""
        self._last_seq = 0

    def deliver(self, messages: Sequence[Message]) -> Receipt:
        """Write the records that are not there yet, and wait until they are on the disk."""
        new = [message for message in messages if not self._is_written(message)]
        for group in self._by_file(new):
            self._append(b"".join(group))
        if new:
            self._last_id, self._last_seq = new[-1].id, new[-1].seq
        return Receipt(frozenset(message.id for message in messages))

    def tend(self) -> None:
        """Nothing to do between records."""

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    # -- what is there

    def _is_written(self, message: Message) -> bool:
        """Whether a file has the message: numbers of one series only grow, so the last one tells."""
        if self._stream is None:
            self._open_newest()
        same_series = _series(message.id) == _series(self._last_id)
        return same_series and message.seq <= self._last_seq

    def _open_newest(self) -> None:
        try:
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            found = [match for name in os.listdir(self._folder) if (match := self._pattern.fullmatch(name))]
            newest = max(((m.group(1), int(m.group(2) or 0)) for m in found), default=None)
            if newest is None:
                self._open(self._today(), 0)
            else:
                self._open(*newest)
                self._read_end()
        except OSError as error:
            raise self._unusable(error) from error

    def _read_end(self) -> None:
        """Cut off half a line, and take the last record from the last whole line."""
        assert self._stream is not None
        size = self._stream.seek(0, os.SEEK_END)
        length = min(size, _TAIL_BYTES)
        while True:
            self._stream.seek(size - length)
            tail = self._stream.read(length)
            lines = tail.split(b"\n")
            if len(lines) > 2 or length in (size, _LINE_BYTES):
                break
            length = min(size, length * 16, _LINE_BYTES)
        if lines[-1]:
            self._stream.truncate(size - len(lines[-1]))
            os.fsync(self._stream.fileno())
        self._stream.seek(0, os.SEEK_END)
        if len(lines) > 1 and (last := self._id_of(lines[-2])):
            self._last_id, self._last_seq = last, int(last.rpartition("-")[2])

    def _id_of(self, line: bytes) -> str | None:
        text = line.decode("utf-8", "replace")
        try:
            name = json.loads(text)["recordId"] if self._format == "jsonl" else next(csv.reader([text]))[0]
        except (ValueError, KeyError, TypeError, IndexError, StopIteration, csv.Error):
            return None  # the heading, or a line somebody else wrote
        return name if isinstance(name, str) and re.search(r"-\d{1,18}\Z", name) else None

    # -- writing

    def _by_file(self, messages: Sequence[Message]) -> list[list[bytes]]:
        """The lines in groups, one for each file."""
        lines = [self._line(message.body) for message in messages]
        groups: list[list[bytes]] = [[]]
        room = self._most_bytes - (self._stream.seek(0, os.SEEK_END) if self._stream else 0)
        for line in lines:
            room -= len(line)
            if room < 0 and groups[-1]:
                groups.append([])
                room = self._most_bytes - len(line)
            groups[-1].append(line)
        return groups if messages else []

    def _append(self, lines: bytes) -> None:
        self._rotate(len(lines))
        assert self._stream is not None
        before = self._stream.seek(0, os.SEEK_END)
        try:
            head = self._head() if before == 0 else b""
            self._write_all(head + lines)
            os.fsync(self._stream.fileno())
        except OSError as error:
            self._take_back(before)
            raise self._unusable(error) from error

    def _write_all(self, content: bytes) -> None:
        assert self._stream is not None
        written = 0
        while written < len(content):
            written += self._stream.write(content[written:]) or 0

    def _take_back(self, size: int) -> None:
        """Remove a half-written end; where even that fails, the next start cuts it off."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.truncate(size)
            except OSError:
                pass
            finally:
                stream.close()

    def _head(self) -> bytes:
        return self._line(dict(zip(CSV_COLUMNS, CSV_COLUMNS, strict=True))) if self._format == "csv" else b""

    def _rotate(self, more_bytes: int) -> None:
        """Go on in a new file on a new day, or when the open one has no room for so much more."""
        assert self._stream is not None
        assert self._current is not None
        day, number = self._current
        today = self._today() if self._daily else day
        size = self._stream.seek(0, os.SEEK_END)
        full = size > 0 and size + more_bytes > self._most_bytes
        try:
            if today > day:
                self._open(today, 0)
            elif full or not self._is_linked():
                self._open(day, number + full)
        except OSError as error:
            raise self._unusable(error) from error

    def _is_linked(self) -> bool:
        """Whether the open file still has its name; another program may have taken it away."""
        assert self._stream is not None
        path = self._path(*self._current) if self._current else None
        return path is not None and path.exists() and os.fstat(self._stream.fileno()).st_nlink > 0

    def _open(self, day: str, number: int) -> None:
        self.close()
        path = self._path(day, number)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        self._stream = io.FileIO(descriptor, "r+")
        self._current = (day, number)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # the name of a new file, too, must survive a power cut
        finally:
            os.close(folder)

    def _path(self, day: str, number: int) -> Path:
        return self._folder / f"{self._name}-{day}{f'.{number}' if number else ''}.{self._format}"

    def _today(self) -> str:
        return f"{self._clock.now().astimezone(self._zone):%Y-%m-%d}"

    def _line(self, body: dict[str, Any]) -> bytes:
        if self._format == "jsonl":
            return json.dumps(body, ensure_ascii=False).encode("utf-8") + b"\n"
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(_cell(body.get(column)) for column in CSV_COLUMNS)
        return text.getvalue().encode("utf-8")

    def _unusable(self, error: OSError) -> NeedsOperator:
        return NeedsOperator(
            f"{self._name}: {self._folder} cannot be written: {error.strerror}.",
            code="delivery_folder",
            hint="Free space there, or make the folder writable for the user edged runs as (under systemd "
            "also with ReadWritePaths= in the unit).",
        )


def _series(message_id: str) -> str:
    return message_id.rpartition("-")[0]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        value = " ".join(map(str, value))
    return disarmed(value) if isinstance(value, str) else value
