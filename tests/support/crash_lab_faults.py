"""Faults of the crash laboratory beside the sudden end: disks, files, versions, a receiver that is away.

Each takes a `CrashLab` that is running and returns what it found; the box works again afterwards.
"""

from __future__ import annotations

import hashlib
import shutil
import signal
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median

from crash_lab import CrashLab, Life, Point
from crash_lab_receiver import RoughReceiver
from small_disks import fill

from edged.clock import SystemClock
from edged.events import PunchCorrected
from edged.journal import Journal, JournalReader, journal_path

DISK_MB = 192
_DAMAGE = b"\xa5" * 4096


def full_disk(lab: CrashLab) -> Point:
    """The disk fills up while people pass; then there is room again, or the box is killed before there is."""
    life = lab.start()
    life.wait_for("ready")
    life.wait_for("acknowledged", lab.random.randrange(10))
    filler = fill(lab.data_dir.parent)
    wrong = [] if life.wait_for("unwritten", 3) else ["The box ended when the disk was full."]
    if lab.random.random() < 0.5:
        life = _killed(lab, life)
        life = lab.start()
        if not life.wait_for("ready"):  # it may come up with what room is left in its files
            wrong += _refusal(life, "disk_full")
            lab.end(life)
            filler.unlink()
            life = lab.start()
    filler.unlink(missing_ok=True)
    enough = life.count("acknowledged") + 3
    if not life.wait_for("acknowledged", enough):
        wrong.append("Nobody could pass after there was room again.")
    _killed(lab, life)
    return Point("disk full", "working", life.acknowledged, life.start_s, wrong + lab.problems())


def read_only(lab: CrashLab) -> Point:
    """The disk is read-only at a start, as the kernel makes one with errors: refused, nothing is changed."""
    disk = lab.data_dir.parent
    _killed(lab, _some_life(lab))
    before = _digests(lab.data_dir)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        life = lab.start()
        lab.end(life)
        wrong = _refusal(life, "data_dir_read_only", "data_dir_unusable")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    if _digests(lab.data_dir) != before:
        wrong.append("Files were changed.")
    life = _some_life(lab)
    _killed(lab, life)
    return Point("disk read-only", "starting", life.acknowledged, life.start_s, wrong + lab.problems())


def newer_schema(lab: CrashLab, name: str) -> Point:
    """A newer edged has written a file: refused and left alone, so that it can be used by that version."""
    _killed(lab, _some_life(lab))
    version = _set_version(lab.data_dir / name, 999)
    before = _digests(lab.data_dir)[name]
    life = lab.start()
    lab.end(life)
    wrong = _refusal(life, "database_newer")
    if _digests(lab.data_dir)[name] != before:
        wrong.append(f"{name} was changed.")
    _set_version(lab.data_dir / name, version)
    life = _some_life(lab)
    _killed(lab, life)
    return Point("newer schema", name, life.acknowledged, life.start_s, wrong + lab.problems())


def damaged_without_backup(lab: CrashLab, name: str) -> Point:
    """A file is damaged and there is no backup: the box does not start, and the file is left for a person."""
    _killed(lab, _some_life(lab))
    shutil.rmtree(lab.data_dir / "backups", ignore_errors=True)
    path = lab.data_dir / name
    whole = _damage(path)
    before = _digests(lab.data_dir)[name]
    life = lab.start()
    lab.end(life)
    wrong = _refusal(life, "database_corrupt")
    if _digests(lab.data_dir)[name] != before:
        wrong.append(f"{name} was changed.")
    path.write_bytes(whole)
    life = _some_life(lab)
    _killed(lab, life)
    return Point("damaged file", name, life.acknowledged, life.start_s, wrong + lab.problems())


def damaged_outbox(lab: CrashLab) -> Point:
    """Nobody knows how far delivery had come, and there is no backup: people pass, nothing is delivered."""
    _killed(lab, _some_life(lab))
    shutil.rmtree(lab.data_dir / "backups", ignore_errors=True)
    whole = _damage(lab.data_dir / "delivery.db")
    before = _digests(lab.data_dir)["delivery.db"]
    sent = [len(receiver.received) for receiver in lab.receivers.values()]
    life = _some_life(lab)
    _killed(lab, life)
    wrong = []
    if _digests(lab.data_dir)["delivery.db"] != before:
        wrong.append("delivery.db was changed.")
    if [len(receiver.received) for receiver in lab.receivers.values()] != sent:
        wrong.append("Something was delivered without knowing what.")
    (lab.data_dir / "delivery.db").write_bytes(whole)
    return Point("damaged file", "delivery.db", life.acknowledged, life.start_s, wrong + lab.problems())


def damaged_journal(lab: CrashLab) -> Point:
    """The journal is damaged after a backup: it is put back, says what it lost, and gives no number twice.

    The last fault of a lab: what was acknowledged after the backup is lost, as declared.
    """
    life = lab.start(linger=True, passages=12)
    life.wait_for("acknowledged", 12)
    if not _appears(lab.data_dir / "backups", "edged-*"):
        raise AssertionError("no backup was made")
    _killed(lab, life)
    _killed(lab, _some_life(lab))
    highest = max(lab.told.acknowledged.values())
    _damage(journal_path(lab.data_dir))
    before = dict(lab.told.acknowledged)
    life = _some_life(lab)
    _killed(lab, life)
    return Point(
        "damaged journal", "backup", life.acknowledged, life.start_s, _restored(lab, before, highest)
    )


def target_down(lab: CrashLab, records: int, drain_s: float) -> tuple[Point, dict[str, float]]:
    """The receivers are away until so many records wait; then they are back, while people go on passing.

    Returns:
        What was found, and figures: records a second for each receiver, milliseconds a decision took to be
        committed meanwhile (median, most).
    """
    for receiver in lab.receivers.values():
        receiver.trouble = 0.0
        receiver.go_away()
    _killed(lab, _some_life(lab))
    _write_in_bulk(lab, records)
    life = lab.start(pause_s=0.05)
    life.wait_for("acknowledged", 20)  # a second in which it finds nobody there
    last = max(lab.told.acknowledged.values())
    receivers = lab.receivers.values()
    with ThreadPoolExecutor(len(receivers)) as pool:
        waits = [pool.submit(_drained_s, receiver, last, drain_s) for receiver in receivers]
        for receiver in receivers:
            receiver.away = False
        took_s = [wait.result() for wait in waits]
    figures = {name: records / s for name, s in zip(lab.receivers, took_s, strict=True)}
    commits = sorted(life.commits_ms)
    figures.update(commit_median_ms=median(commits), commit_most_ms=commits[-1])
    _killed(lab, life)
    point = Point("target down", f"{records} records", life.acknowledged, life.start_s, lab.problems())
    return point, figures


def _some_life(lab: CrashLab) -> Life:
    life = lab.start()
    if not life.wait_for("acknowledged", 3 + lab.random.randrange(10)):
        raise AssertionError(f"the box ended by itself after {life.said[-3:]}")
    return life


def _killed(lab: CrashLab, life: Life) -> Life:
    life.send(signal.SIGKILL)
    lab.end(life)
    return life


def _refusal(life: Life, *codes: str) -> list[str]:
    said = [about[0] for what, *about in life.said if what == "refused"]
    return [] if said and said[0] in codes else [f"The box said {life.said} instead of {codes}."]


def _digests(folder: Path) -> dict[str, str]:
    """Content of databases and their logs; the lock and the index of a log may change."""
    files = [path for path in folder.glob("*") if path.suffix in (".db", ".sqlite3") or "-wal" in path.name]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _damage(path: Path) -> bytes:
    """Overwrite the second page. Returns the whole file as it was."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + _DAMAGE + whole[8192:])
    return whole


def _set_version(path: Path, version: int) -> int:
    with closing(sqlite3.connect(path)) as connection:
        before = int(connection.execute("PRAGMA user_version").fetchone()[0])
        connection.execute(f"PRAGMA user_version = {version}")
    return before


def _appears(folder: Path, pattern: str) -> bool:
    until_s = time.monotonic() + 20.0
    while time.monotonic() < until_s:
        if any(folder.glob(pattern)):
            return True
        time.sleep(0.02)
    return False


def _restored(lab: CrashLab, before: dict[str, int], highest: int) -> list[str]:
    """What was acknowledged is in the journal, or its number lies in a gap that a record explains."""
    journal = JournalReader.open_readonly(journal_path(lab.data_dir))
    try:
        wrong = list(journal.verify())
        kept = {r.decision_id: r.seq for r in journal.iterate(event="access_decided")}
        restored = list(journal.iterate(event="journal_restored"))
    finally:
        journal.close()
    if not restored:
        return [*wrong, "No record says that the journal was put back."]
    first, last = restored[-1].payload["lost_from_seq"], restored[-1].payload["lost_to_seq"]
    for decision, seq in before.items():
        if kept.get(decision) != seq and not first <= seq <= last:
            wrong.append(f"The decision {seq} is lost, and not said to be.")
    new = {seq for decision, seq in kept.items() if decision not in before}
    if new and min(new) <= highest:
        wrong.append("A number was given twice.")
    return wrong


def _write_in_bulk(lab: CrashLab, records: int) -> None:
    clock = SystemClock()
    journal = Journal.open(journal_path(lab.data_dir), clock)
    try:
        for number in range(records):
            now = clock.now()
            journal.record(
                PunchCorrected(
                    at=now,
                    punch_id=number,
                    corrects=None,
                    action="add",
                    person_id="person1",
                    punch_at=now,
                    direction="in",
                    reason="written in bulk",
                    author="laboratory",
                )
            )
            if number % 1000 == 999:
                journal.flush()
    finally:
        journal.close()


def _drained_s(receiver: RoughReceiver, last: int, longest_s: float) -> float:
    """How long it takes until it has record `last`, from now on."""
    began_s = time.monotonic()
    if not receiver.wait_for(lambda: receiver.newest >= last, longest_s):
        raise AssertionError(f"not everything is there after {longest_s:g} s, only up to {receiver.newest}")
    return time.monotonic() - began_s
