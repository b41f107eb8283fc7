"""Numbered schema scripts: each applies entirely or not at all, once, in order."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from edged.errors import Misconfigured

_MIGRATION = re.compile(r"^(\d{4})_\w+\.sql$")


def migrations(package: str) -> list[tuple[int, str]]:
    """The numbered scripts of a package, `[(1, sql), (2, sql), …]`, without a gap."""
    found = []
    for file in resources.files(package).joinpath("migrations").iterdir():
        if match := _MIGRATION.match(file.name):
            found.append((int(match.group(1)), file.read_text(encoding="utf-8")))
    found.sort()
    if [number for number, _ in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations of {package} are not numbered 0001, 0002, … without a gap")
    return found


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: Path, scripts: list[tuple[int, str]]) -> None:
    """Bring the file to the newest of `scripts`. Raises Misconfigured `database_newer`."""
    _refuse_newer(_version(connection), path, scripts)
    for number, sql in scripts:
        if _version(connection) >= number:
            continue
        with transaction(connection):
            if _version(connection) >= number:  # another process was quicker
                continue
            for statement in _statements(sql):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _statements(sql: str) -> Iterator[str]:
    """The statements of a script, one by one; `executescript` would commit in between."""
    statement = ""
    for piece in sql.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement:  # a comment, or half a statement, which SQLite refuses
        yield statement


def require_version(connection: sqlite3.Connection, path: Path, scripts: list[tuple[int, str]]) -> None:
    """Raise Misconfigured `database_newer` or `database_older` unless the file has exactly this schema."""
    seen = _version(connection)
    _refuse_newer(seen, path, scripts)
    if seen < len(scripts):
        raise Misconfigured(
            f"{path} has schema version {seen}, this edged reads version {len(scripts)}.",
            code="database_older",
            hint="Start the daemon once; it brings the file up to date.",
        )


def _refuse_newer(seen: int, path: Path, scripts: list[tuple[int, str]]) -> None:
    if seen > len(scripts):
        raise Misconfigured(
            f"{path} has schema version {seen}, this edged knows {len(scripts)} at most.",
            code="database_newer",
            hint="A newer edged has written it: install that version again, or restore the data directory "
            "from before the upgrade.",
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit everything done inside, or roll it back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back by itself after some errors
            connection.execute("ROLLBACK")
        raise
