"""The wired contacts of one door, wherever they are: relay board, serial port, GPIO. Reads, debounces.

The gate's thread calls it between two deadlines. The meaning of a contact for the door is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edged.clock import Clock
from edged.config import GateConfig
from edged.config.gate_inputs import InputAddress, parse_input
from edged.errors import EdgedError, NeedsOperator
from edged.gate.board.gpio import open_inputs
from edged.gate.door.inputs import DoorInputs, InputEdge, InputKind, InputRule

POLL_S = 0.05
"""Seconds between two readings. With 25 ms for a reading at 9600 baud that makes 75 ms, so that a passage
pulse of 300 ms is seen at least twice (docs/reference/relay-boards.md 2.4)."""
RETRY_S = 2.0
"""Seconds until the next attempt to read contacts that could not be read."""
SILENT_S = 2.0
"""A connected board that reports no inputs for this long, seconds, has none; one miss is no proof."""

KEYS = {
    InputKind.DOOR: "door_contact",
    InputKind.EXIT: "exit_button",
    InputKind.PASSAGE: "passage_sensor",
    InputKind.PASSAGE_OUT: "passage_out",
    InputKind.FIRE: "fire",
    InputKind.TAMPER: "tamper",
    InputKind.KEY_IN: "key_in",
    InputKind.KEY_OUT: "key_out",
}
"""Key of the configuration for the wiring of each contact."""

Read = Callable[[], Sequence[bool] | None]


class GpioReader(Protocol):
    """The part of `gpio.GpioInputs` that is used here."""

    def read(self) -> Sequence[bool]:
        """The contacts, True: closed."""
        ...

    def close(self) -> None:
        """Give the lines back."""
        ...


@dataclass(frozen=True)
class ContactsSeen:
    """Result of one poll.

    Attributes:
        edges: contacts that have changed, in the order of the configuration.
        lost: contacts whose state has become unknown.
        problem: why contacts cannot be read, in the first poll that fails.
        ended: contacts that could not be read are readable again.
    """

    edges: tuple[InputEdge, ...] = ()
    lost: tuple[InputKind, ...] = ()
    problem: EdgedError | None = None
    ended: bool = False


@dataclass
class _Group:
    """Contacts that one reading covers."""

    name: str
    kinds: tuple[InputKind, ...]
    inputs: DoorInputs
    read: Read
    of_board: bool
    poll_at: float = 0.0
    known: set[InputKind] = field(default_factory=set)
    failed: bool = False
    silent_since_s: float | None = None


class Contacts:
    """All contacts of one door.

    Args:
        config: their wiring.
        read_board: reads the inputs of the relay board, first one first; None: missed this time. Raises what
            the driver raises. Only called while the board is connected.
        read_lines: reads CTS, DSR, DCD and RI of the port, likewise.
        open_gpio: takes GPIO lines of a chip.
    """

    def __init__(
        self,
        config: GateConfig,
        clock: Clock,
        *,
        read_board: Read,
        read_lines: Read,
        open_gpio: Callable[[str, Sequence[int | str]], GpioReader] = open_inputs,
    ) -> None:
        self._clock = clock
        self._open_gpio = open_gpio
        self._gpio: dict[str, GpioReader] = {}
        self._debounce_s = config.debounce_s
        addresses = wired(config)
        self._groups: list[_Group] = []
        for name, read in (("board", read_board), ("line", read_lines)):
            found = {kind: each for kind, each in addresses.items() if each.source == name}
            if found:
                numbers = {kind: each.number for kind, each in found.items()}
                self._groups.append(self._group(name, found, numbers, read, of_board=True))
        for chip in dict.fromkeys(each.chip for each in addresses.values() if each.source == "gpio"):
            found = {k: each for k, each in addresses.items() if each.source == "gpio" and each.chip == chip}
            numbers = {kind: number for number, kind in enumerate(found, start=1)}
            lines = tuple(each.line for each in found.values())
            self._groups.append(
                self._group(chip, found, numbers, self._gpio_reader(chip, lines), of_board=False)
            )

    def __bool__(self) -> bool:
        return bool(self._groups)

    def states(self) -> dict[str, bool | None]:
        """Each wired contact by its key in the configuration: active, not, or (None) not known."""
        return {KEYS[kind]: group.inputs.active(kind) for group in self._groups for kind in group.kinds}

    def due_s(self, board: bool) -> float | None:
        """Monotonic time of the next poll; `board`: the relay board is connected. None: never."""
        return min((group.poll_at for group in self._groups if board or not group.of_board), default=None)

    def poll(self, board: bool) -> list[ContactsSeen]:
        """Read the contacts that are due, one group after the other.

        Raises:
            RetryLater: from the driver: the board counts as lost.
        """
        now = self._clock.monotonic()
        due = [g for g in self._groups if now >= g.poll_at and (board or not g.of_board)]
        return [seen for seen in map(self._poll, due) if seen != ContactsSeen()]

    def board_lost(self) -> tuple[InputKind, ...]:
        """Make the contacts behind the board's port unknown. Returns those that were known."""
        return sum((self._forget(group) for group in self._groups if group.of_board), ())

    def close(self) -> None:
        """Give GPIO lines back."""
        for reader in self._gpio.values():
            reader.close()
        self._gpio.clear()

    # -- inside

    def _group(
        self,
        name: str,
        found: dict[InputKind, InputAddress],
        numbers: dict[InputKind, int],
        read: Read,
        *,
        of_board: bool,
    ) -> _Group:
        rules = [
            InputRule(kind, numbers[kind], address.normally_closed, self._debounce_s)
            for kind, address in found.items()
        ]
        return _Group(name, tuple(found), DoorInputs(rules), read, of_board)

    def _gpio_reader(self, chip: str, lines: Sequence[int | str]) -> Read:
        def read() -> Sequence[bool]:
            if chip not in self._gpio:
                self._gpio[chip] = self._open_gpio(chip, lines)
            return self._gpio[chip].read()

        return read

    def _poll(self, group: _Group) -> ContactsSeen:
        try:
            bits = group.read()
            now = self._clock.monotonic()
            edges = self._silent(group, now) if bits is None else self._sample(group, bits, now)
        except EdgedError as error:
            if group.of_board and not isinstance(error, NeedsOperator):
                raise
            return self._unreadable(group, error)
        group.poll_at = now + POLL_S
        if group.inputs.due_s is not None:
            group.poll_at = min(group.poll_at, max(group.inputs.due_s, now))
        ended, group.failed = group.failed and bits is not None, group.failed and bits is None
        group.known |= {edge.kind for edge in edges}
        return ContactsSeen(edges=edges, ended=ended)

    def _silent(self, group: _Group, now: float) -> tuple[InputEdge, ...]:
        if group.silent_since_s is None:
            group.silent_since_s = now
        elif now - group.silent_since_s >= SILENT_S:
            raise NeedsOperator(
                "The board tells nothing of its inputs.",
                code="inputs_missing",
                hint="Check that this model has inputs, and gate.channels.",
            )
        return ()

    def _sample(self, group: _Group, bits: Sequence[bool], now: float) -> tuple[InputEdge, ...]:
        group.silent_since_s = None
        if len(bits) < group.inputs.highest:
            raise NeedsOperator(
                f"Input {group.inputs.highest} is configured, but there are {len(bits)}.",
                code="inputs_missing",
                hint="Check gate.door_contact and the other contacts against the board.",
            )
        return tuple(group.inputs.sample(bits, now))

    def _unreadable(self, group: _Group, error: EdgedError) -> ContactsSeen:
        group.poll_at = self._clock.monotonic() + RETRY_S
        reader = self._gpio.pop(group.name, None)
        if reader is not None:
            reader.close()
        new, group.failed = not group.failed, True
        return ContactsSeen(lost=self._forget(group), problem=error if new else None)

    def _forget(self, group: _Group) -> tuple[InputKind, ...]:
        group.inputs.lost()
        group.silent_since_s = None
        known, group.known = group.known, set()
        return tuple(kind for kind in group.kinds if kind in known)


def wired(config: GateConfig) -> dict[InputKind, InputAddress]:
    """Wiring of each contact that the configuration names."""
    texts = {kind: getattr(config, key) for kind, key in KEYS.items()}
    return {kind: parse_input(text) for kind, text in texts.items() if text}
