"""Keeps the last override of each door over a restart. One small file.

The journal has every order as well, but a search for the last one takes longer as the journal grows, and a
lockdown must be in force from the first moment.
"""

from __future__ import annotations

import contextlib
import json
import os
from datetime import datetime
from pathlib import Path

from edged.clock import iso
from edged.errors import NeedsOperator
from edged.gate.door.model import DoorMode
from edged.gate.door.timetable import ModeOrder

FILE_NAME = "door-orders.json"


class OverrideStore:
    """The last order for each door.

    Args:
        directory: the data directory.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self.damaged: Path | None = None
        """New path of an unreadable file, whose overrides are lost; None: the file was sound."""
        self._orders = self._read()

    def order(self, door_id: str) -> ModeOrder | None:
        """The last order for a door, which may have ended; None: there is none."""
        return self._orders.get(door_id)

    def keep(self, door_id: str, order: ModeOrder) -> None:
        """Store an order. It is on the disk when this returns.

        Raises:
            NeedsOperator: `order_not_kept`.
        """
        orders = {**self._orders, door_id: order}
        text = json.dumps({name: _plain(each) for name, each in orders.items()}, indent=1)
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            _sync(self._path.parent)
        except OSError as error:
            raise NeedsOperator(
                f"The order could not be written to {self._path}: {error.strerror}.",
                code="order_not_kept",
                hint="It stands, but not after a restart: check the free space and the health of the disk.",
            ) from error
        self._orders = orders

    def _read(self) -> dict[str, ModeOrder]:
        """Read all orders. An unreadable file is moved aside: it must not keep the doors from working."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return {door_id: _order(each) for door_id, each in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self.damaged = self._path.with_suffix(".damaged")
            with contextlib.suppress(OSError):
                self._path.replace(self.damaged)
            return {}


def _plain(order: ModeOrder) -> dict[str, str | None]:
    return {
        "mode": order.mode.value,
        "at": iso(order.at),
        "until": None if order.until is None else iso(order.until),
        "hours_change": None if order.hours_change is None else iso(order.hours_change),
    }


def _order(plain: dict[str, str | None]) -> ModeOrder:
    return ModeOrder(
        DoorMode(str(plain["mode"])),
        _time(str(plain["at"])),
        *(None if plain[key] is None else _time(str(plain[key])) for key in ("until", "hours_change")),
    )


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without zone")
    return time


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
