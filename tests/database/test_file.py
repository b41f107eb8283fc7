"""One SQLite file: migrations, safe writing, reading beside a writer, an orderly end."""

from __future__ import annotations

import sqlite3
import stat
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from edged.database import Database
from edged.database.migrate import migrations
from edged.errors import EdgedError, Misconfigured, RetryLater

ONE = "CREATE TABLE things (name TEXT UNIQUE);"
TWO = """
-- a comment; with a semicolon
ALTER TABLE things ADD COLUMN size INTEGER DEFAULT 7;
CREATE TRIGGER no_giants AFTER INSERT ON things WHEN new.size > 99 BEGIN
    DELETE FROM things WHERE size > 99; SELECT 1;
END;
"""
FAILS_HALFWAY = "CREATE TABLE more (x); INSERT INTO nowhere VALUES (1);"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Makes an importable package with the given migration scripts and returns its name."""

    def make(name: str, *scripts: str) -> str:
        folder = tmp_path / "packages" / name / "migrations"
        folder.mkdir(parents=True)
        (folder.parent / "__init__.py").touch()
        for number, script in enumerate(scripts, 1):
            (folder / f"{number:04d}_step.sql").write_text(script)
        monkeypatch.syspath_prepend(str(tmp_path / "packages"))
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return make


def pragma(database: Database, name: str) -> object:
    return database.query(f"PRAGMA {name}")[0][0]


def test_opens_with_log_full_sync_foreign_keys_and_patience(tmp_path, package):
    database = Database.open(tmp_path / "a.sqlite3", package=package("db_pragmas", ONE))

    settings = {
        name: pragma(database, name)
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }

    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 2000}


def test_a_durable_transaction_is_fully_synchronous_even_after_one_that_is_not(tmp_path, package):
    database = Database.open(tmp_path / "a.sqlite3", package=package("db_sync", ONE))

    with database.transaction(durable=False):
        relaxed = pragma(database, "synchronous")
    with database.transaction():
        durable = pragma(database, "synchronous")

    assert (relaxed, durable) == (1, 2)


def test_creates_directory_and_files_for_the_owner_only(tmp_path, package):
    path = tmp_path / "data" / "a.sqlite3"

    database = Database.open(path, package=package("db_modes", ONE))
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('a')")

    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (path.parent, *path.parent.iterdir())}
    assert modes == {"data": 0o700, "a.sqlite3": 0o600, "a.sqlite3-wal": 0o600, "a.sqlite3-shm": 0o600}


def test_applies_the_missing_migrations_only(tmp_path, package):
    path = tmp_path / "a.sqlite3"
    first = Database.open(path, package=package("db_one", ONE))
    with first.transaction() as connection:
        connection.execute("INSERT INTO things (name) VALUES ('kept')")
    first.close()

    second = Database.open(path, package=package("db_two", ONE, TWO))

    assert [tuple(row) for row in second.query("SELECT name, size FROM things")] == [("kept", 7)]
    assert pragma(second, "user_version") == 2


def test_a_migration_that_fails_leaves_no_trace(tmp_path, package):
    path = tmp_path / "a.sqlite3"

    with pytest.raises(EdgedError, match="nowhere"):
        Database.open(path, package=package("db_fails", ONE, FAILS_HALFWAY))

    again = Database.open(path, package=package("db_repaired", ONE))
    assert [row[0] for row in again.query("SELECT name FROM sqlite_schema WHERE type = 'table'")] == [
        "things"
    ]
    assert pragma(again, "user_version") == 1


def test_a_file_of_a_newer_edged_is_refused_and_left_alone(tmp_path, package):
    path = tmp_path / "a.sqlite3"
    Database.open(path, package=package("db_new", ONE, TWO)).close()
    before = path.read_bytes()

    for opener in (Database.open, Database.open_readonly):
        with pytest.raises(Misconfigured, match="schema version 2, this edged knows 1") as raised:
            opener(path, package=package(f"db_old_{opener.__name__}", ONE))
        assert raised.value.code == "database_newer"
        assert "install that version" in raised.value.hint

    assert path.read_bytes() == before


def test_a_file_that_was_not_migrated_yet_is_not_read(tmp_path, package):
    path = tmp_path / "a.sqlite3"
    Database.open(path, package=package("db_before", ONE)).close()

    with pytest.raises(Misconfigured) as raised:
        Database.open_readonly(path, package=package("db_after", ONE, TWO))

    assert raised.value.code == "database_older"


def test_migrations_must_be_numbered_without_a_gap(tmp_path, package):
    name = package("db_gap", ONE, TWO)
    folder = tmp_path / "packages" / name / "migrations"
    (folder / "0001_step.sql").rename(folder / "0003_step.sql")

    with pytest.raises(ValueError, match="without a gap"):
        migrations(name)


def test_an_error_inside_a_transaction_undoes_all_of_it(tmp_path, package):
    database = Database.open(tmp_path / "a.sqlite3", package=package("db_undo", ONE))

    def insert_twice() -> None:
        with database.transaction() as connection:
            connection.executemany("INSERT INTO things VALUES (?)", [("a",), ("a",)])

    with pytest.raises(sqlite3.IntegrityError):
        insert_twice()

    assert database.query("SELECT * FROM things") == []


def test_a_file_that_somebody_else_writes_asks_to_come_back_later(tmp_path, package):
    path = tmp_path / "a.sqlite3"
    database = Database.open(path, package=package("db_busy", ONE))
    database.query("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(RetryLater) as raised, database.transaction():
        pass

    assert raised.value.code == "database_busy"
    other.close()


@pytest.mark.parametrize("attempts", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_openers_at_once_wait_for_each_other_and_migrate_once(tmp_path, package, attempts):
    name = package(f"db_race_{attempts}", ONE, TWO)
    for attempt in range(attempts):  # SQLite refuses one of them about once in 2,000 openings
        path = tmp_path / str(attempt) / "a.sqlite3"
        with ThreadPoolExecutor(max_workers=6) as openers:
            opened = [openers.submit(Database.open, path, package=name) for _ in range(6)]

        assert {pragma(each.result(), "user_version") for each in opened} == {2}
        for each in opened:
            each.result().close()


def test_reads_beside_a_writer_without_disturbing_it(tmp_path, package):
    path, name = tmp_path / "a.sqlite3", package("db_beside", ONE)
    writer = Database.open(path, package=name)
    reader = Database.open_readonly(path, package=name)

    with writer.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('seen')")
        during = reader.query("SELECT * FROM things")
    after = reader.query("SELECT * FROM things")

    assert (len(during), len(after)) == (0, 1)
    with pytest.raises(EdgedError), reader.transaction() as connection:
        connection.execute("DELETE FROM things")


def test_a_closed_database_says_so(tmp_path, package):
    database = Database.open(tmp_path / "a.sqlite3", package=package("db_closed", ONE))
    database.close()

    with pytest.raises(RetryLater) as raised:
        database.query("SELECT 1")

    assert raised.value.code == "database_closed"


def test_closing_leaves_one_file(tmp_path, package):
    path = tmp_path / "a.sqlite3"
    database = Database.open(path, package=package("db_clean", ONE))
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('a')")

    database.close()

    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["a.sqlite3"]


def test_a_long_log_is_moved_into_the_file_beside_the_writer(tmp_path, package):
    path = tmp_path / "a.sqlite3"
    database = Database.open(path, package=package("db_long", ONE), auto_checkpoint=False)
    assert not database.checkpoint()
    with database.transaction() as connection:
        connection.executemany("INSERT INTO things VALUES (?)", ((f"{n:01000d}",) for n in range(4500)))
    size_before = path.stat().st_size

    assert database.checkpoint()

    assert path.stat().st_size > size_before
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('the next')")
    assert not database.checkpoint(), "after the next write the log is short again"
