"""Pictures of passages: JPEG files named by their SHA-256, written before anything refers to them.

A picture reaches the disk after its decision and beside the gate's path. A crash in between leaves a file
that nothing refers to; the next start removes it.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edged.bus import EventBus, Overflow, Subscription
from edged.clock import Clock, iso
from edged.database import Database
from edged.database.errors import from_os_error
from edged.events import AccessDecided, Event, Outcome, ShotChosen

if TYPE_CHECKING:
    import numpy as np

FOLDER = "snapshots"
REMEMBERED_PASSAGES = 16
"""Passages whose shots wait in memory for their decision; a shot is a picture of some 0.5 MB."""

_BATCH = 200

Policy = Literal["none", "denied", "all"]
Encode = Callable[["np.ndarray"], bytes]


def snapshot_path(data_dir: Path, digest: str) -> Path:
    """Where the picture with this SHA-256 lies."""
    return data_dir / FOLDER / digest[:2] / f"{digest}.jpg"


class SnapshotFolder:
    """The pictures of one data directory, and the table that links them to decisions."""

    def __init__(self, data_dir: Path, database: Database, clock: Clock) -> None:
        self._data_dir = data_dir
        self._database = database
        self._clock = clock

    def add(self, decision: AccessDecided, jpeg: bytes) -> str | None:
        """Write the picture of a decision; on the disk, file first, on return.

        Returns:
            Its SHA-256; None when the journal does not hold the decision.

        Raises:
            NeedsOperator, RetryLater: see `Database.open`.
        """
        digest = hashlib.sha256(jpeg).hexdigest()
        path = snapshot_path(self._data_dir, digest)
        _write(path, jpeg)
        with self._database.transaction(durable=False) as connection:
            known = connection.execute(
                "INSERT OR IGNORE INTO snapshots SELECT decision_id, ?, passage_id, ?, ? FROM records "
                "WHERE decision_id = ? AND event = 'access_decided'",
                (digest, len(jpeg), iso(self._clock.now()), decision.decision_id),
            ).rowcount
        if not known:
            if not _is_referred_to(self._database, digest):
                path.unlink(missing_ok=True)
            return None
        return digest

    def forget(self, decision_ids: Iterable[str]) -> int:
        """Erase the pictures of these decisions. Returns how many there were.

        Files first: after a crash in between, the rows still say what is to be erased when it is repeated.
        """
        ids, gone = list(decision_ids), 0
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            marks = ", ".join("?" * len(batch))
            only_theirs = self._database.query(
                f"SELECT DISTINCT hash FROM snapshots WHERE decision_id IN ({marks}) AND hash NOT IN "
                f"(SELECT hash FROM snapshots WHERE decision_id NOT IN ({marks}))",
                (*batch, *batch),
            )
            for (digest,) in only_theirs:
                snapshot_path(self._data_dir, digest).unlink(missing_ok=True)
            with self._database.transaction() as connection:
                gone += connection.execute(
                    f"DELETE FROM snapshots WHERE decision_id IN ({marks})", batch
                ).rowcount
        return gone

    def sweep(self) -> int:
        """Erase files of a crash, to which no row refers. For the start only. Returns how many there were."""
        swept = 0
        for file in self.files():
            if file.suffix != ".jpg" or not _is_referred_to(self._database, file.stem):
                file.unlink(missing_ok=True)
                swept += 1
        return swept

    def files(self) -> Iterator[Path]:
        """Every file in the folder."""
        folder = self._data_dir / FOLDER
        yield from (file for file in sorted(folder.glob("*/*")) if file.is_file())

    def problems(self) -> Iterator[str]:
        """Pictures that are missing or were changed, one sentence each."""
        for row in self._database.query("SELECT DISTINCT hash, decision_id FROM snapshots ORDER BY at"):
            path = snapshot_path(self._data_dir, row["hash"])
            if not path.is_file():
                yield f"The picture of decision {row['decision_id']} is missing ({path.name})."
            elif hashlib.sha256(path.read_bytes()).hexdigest() != row["hash"]:
                yield f"The picture of decision {row['decision_id']} was changed ({path.name})."


class SnapshotService:
    """Keeps the picture behind a decision, for the decisions that the policy names.

    Args:
        policy: `denied`: only for denials.
        encode: a picture (height x width x 3 uint8 BGR) as JPEG.
    """

    def __init__(self, policy: Policy, folder: SnapshotFolder, encode: Encode) -> None:
        self._policy = policy
        self._folder = folder
        self._encode = encode
        self._shots: OrderedDict[str, dict[float, np.ndarray]] = OrderedDict()

    def attach(self, bus: EventBus) -> Subscription | None:
        """Subscribe; old pictures give way, and no publisher waits. None for the policy `none`."""
        if self._policy == "none":
            return None
        return bus.subscribe(
            (ShotChosen, AccessDecided),
            self._take,
            name="snapshots",
            capacity=32,
            overflow=Overflow.DROP_OLDEST,
        )

    def _take(self, event: Event) -> None:
        passage = event.passage_id
        if passage is None:
            return
        if isinstance(event, ShotChosen) and event.picture is not None:
            self._remember(passage, event.captured_s, event.picture)
        elif isinstance(event, AccessDecided):
            self._keep(event, self._shots.pop(passage, {}))

    def _remember(self, passage: str, captured_s: float, picture: np.ndarray) -> None:
        self._shots.setdefault(passage, {})[captured_s] = picture
        self._shots.move_to_end(passage)
        while len(self._shots) > REMEMBERED_PASSAGES:
            self._shots.popitem(last=False)

    def _keep(self, decision: AccessDecided, shots: dict[float, np.ndarray]) -> None:
        if shots and (self._policy == "all" or decision.outcome is Outcome.DENIED):
            newest = shots[max(shots)]
            self._folder.add(decision, self._encode(shots.get(decision.captured_s or 0.0, newest)))


def _is_referred_to(database: Database, digest: str) -> bool:
    return bool(database.query("SELECT 1 FROM snapshots WHERE hash = ? LIMIT 1", (digest,)))


def _write(path: Path, content: bytes) -> None:
    """Write a file entirely or not at all, on the disk on return. Raises NeedsOperator."""
    incoming = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.parent.mkdir(mode=0o700, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(incoming, path)
    except OSError as error:
        incoming.unlink(missing_ok=True)
        raise from_os_error(error, path) from error
