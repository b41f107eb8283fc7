"""The ports of a box: one for each device, however many doors are wired to it. Moves no relay.

A board with several relays, or several boards on one RS485 line, serve several doors. Their drivers then
share the port: one exchange at a time, and each sees the port as its own, losses included.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from edged.clock import Clock
from edged.config import GateConfig
from edged.errors import EdgedError, RetryLater
from edged.gate.board.line_lock import LineTurn
from edged.gate.board.port import SerialPort
from edged.gate.board.safe_state import off_bytes
from edged.gate.drivers.base import Capabilities, RelayDriver
from edged.gate.drivers.registry import make_driver
from edged.gate.sim import SimBoard, simulated_board


class PortPool:
    """Makes the drivers of all doors, and the simulated boards they speak to.

    Args:
        gates: all doors of the box.
    """

    def __init__(self, gates: Sequence[GateConfig], clock: Clock) -> None:
        self._clock = clock
        self._doors_at = {gate.port: [g for g in gates if g.port == gate.port] for gate in gates}
        self._boards: dict[str, SimBoard] = {}
        self._lines: dict[str, _Line] = {}

    def driver(
        self, gate: GateConfig, should_end: Callable[[], bool] = lambda: False
    ) -> tuple[RelayDriver, SerialPort]:
        """The driver of a door and its port, which also takes leases of the gate guard.

        Args:
            should_end: True ends, on a shared port, the search for a board that was not found.

        Raises:
            Misconfigured: the simulated board cannot be made, or the guard cannot switch this board off.
        """
        path = self._path(gate)
        if len(self._doors_at[gate.port]) < 2 or gate.family.switched_by == "nothing":
            port = SerialPort(path, gate.baud, self._clock, gate.guard)
            driver = make_driver(gate, port, self._clock)
            if gate.guard is not None:
                port.baud, port.safe = off_bytes(gate, self._clock)
            return driver, port
        line = self._lines.setdefault(path, _Line(SerialPort(path, gate.baud, self._clock)))
        view = _PortView(line)
        return _TakesTurns(make_driver(gate, view, self._clock), line.turn, should_end), view

    def board(self, gate: GateConfig) -> SimBoard | None:
        """The simulated board of a door that has one, made by `driver`."""
        return self._boards.get(gate.port)

    def close(self) -> None:
        """Unplug the simulated boards."""
        for board in self._boards.values():
            board.close()

    def _path(self, gate: GateConfig) -> str:
        url = simulated_board(gate)
        if url is None:
            return gate.port
        if gate.port not in self._boards:
            self._boards[gate.port] = SimBoard(url, self._clock)
        return str(self._boards[gate.port].link)


class _Line:
    """A port several drivers use. `generation` counts how often it was opened."""

    def __init__(self, port: SerialPort) -> None:
        self.port = port
        self.turn = LineTurn()
        self.users: set[_PortView] = set()
        self.generation = 0
        self.broken = False


class _PortView(SerialPort):
    """A shared port as one driver sees it: opening it joins those who have it open."""

    def __init__(self, line: _Line) -> None:
        super().__init__(line.port.path, line.port.baud, line.port.clock)
        self.turn = line.turn
        self._line = line
        self._seen = 0

    def open(self) -> None:
        line = self._line
        with line.turn:
            self.close()
            if line.broken or not line.users:
                line.port.baud = self.baud
                line.port.open()
                line.generation += 1
                line.broken = False
            line.users.add(self)
            self._seen = line.generation

    def close(self) -> None:
        line = self._line
        with line.turn:
            line.users.discard(self)
            if line.broken or not line.users:
                line.port.close()

    @contextlib.contextmanager
    def _reporting_loss(self) -> Iterator[Any]:
        line = self._line
        if self not in line.users or self._seen != line.generation:
            raise self._lost("it was closed")
        try:
            with line.port._reporting_loss() as port:
                yield port
        except RetryLater:
            line.broken = True
            raise


class _TakesTurns:
    """A driver that waits until the others on its line have finished their exchange."""

    def __init__(self, driver: RelayDriver, turn: LineTurn, should_end: Callable[[], bool]) -> None:
        self._driver = driver
        self._turn = turn
        self._should_end = should_end
        self._found = False
        self._why_not: EdgedError | None = None  # error of the last attempt to find it

    @property
    def capabilities(self) -> Capabilities:
        return self._driver.capabilities

    @property
    def written_s(self) -> float | None:
        return self._driver.written_s

    def open(self) -> None:
        self._found = False
        with self._patiently():
            try:
                self._driver.open()
            except EdgedError as error:
                self._why_not = error
                raise
        self._found = True

    def close(self) -> None:
        with self._turn:
            self._driver.close()

    def set(self, channel: int, on: bool) -> bool | None:
        # an off command to a lost board is worth a try, but not at the cost of the other doors
        with self._turn if self._found else self._patiently():
            return self._driver.set(channel, on)

    def pulse(self, channel: int, seconds: float) -> bool | None:
        with self._turn:
            return self._driver.pulse(channel, seconds)

    def read_output(self, channel: int) -> bool | None:
        with self._turn:
            return self._driver.read_output(channel)

    def read_inputs(self) -> tuple[bool, ...] | None:
        with self._turn:
            return self._driver.read_inputs()

    def feed_watchdog(self) -> None:
        with self._turn:
            self._driver.feed_watchdog()

    @contextlib.contextmanager
    def _patiently(self) -> Iterator[None]:
        """For a lost board: after all other doors, and not once the gate is ending, as each attempt costs a
        time-out."""
        with self._turn.patiently():
            if self._why_not is not None and self._should_end():
                raise self._why_not
            yield
