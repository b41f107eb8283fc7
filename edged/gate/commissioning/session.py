"""Commissioning session: exclusive access to one board while the daemon is stopped. Prints nothing.

The port belongs to one program at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from edged.clock import Clock
from edged.config import GateConfig
from edged.errors import Misconfigured, NeedsOperator
from edged.gate.board.contacts import KEYS, Contacts, wired
from edged.gate.board.port import SerialPort
from edged.gate.board.relay_channel import RelayChannel, Switched
from edged.gate.drivers.base import RelayDriver
from edged.gate.drivers.registry import make_driver
from edged.gate.sim import SimBoard, simulated_board

POLL_S = 0.05
"""Seconds between two readings of a relay or a contact."""
MISSES = 3
SETTLE_S = 1.5
"""Seconds. A contact that has not settled by then bounces; the longest debounce time is a second."""
SHORTEST_PULSE_S = 0.1

PULSE_TOLERANCE_S = 0.15
"""Tolerance for a measured pulse, seconds: two polls plus firmware jitter."""

T = TypeVar("T")


class StepOutcome(StrEnum):
    """Outcome of a step of the checklist."""

    OK = "ok"
    FAILED = "failed"
    UNSURE = "unsure"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class StepResult:
    """One step: its name, its outcome, and the outcome in words."""

    step: str
    outcome: StepOutcome
    text: str


@dataclass
class CommissioningSession:
    """A configured board to which this program has exclusive access.

    Attributes:
        port: its serial port, whose other lines may carry contacts.
        sim: the simulated board, whose plug the program pulls itself; None: a real board.
    """

    config: GateConfig
    clock: Clock
    driver: RelayDriver
    port: SerialPort
    sim: SimBoard | None

    def __post_init__(self) -> None:
        self.relay = RelayChannel(self.driver, self.config.channel, self.clock)
        self._elsewhere = Contacts(
            self.config.model_copy(update=dict.fromkeys(self.named_inputs().values())),
            self.clock,
            read_board=tuple,
            read_lines=self.port.modem_lines,
        )

    @property
    def hardware_pulse(self) -> bool:
        """The board itself would end the configured pulse."""
        return self.times_pulse(self.config.pulse_s)

    def times_pulse(self, seconds: float) -> bool:
        """Whether the board would end a pulse of this length, as in service: edged times a hold."""
        return self.config.mode == "pulse" and self.relay.times_pulse(seconds)

    def state(self) -> bool | None:
        """Whether the relay is on; a miss is repeated. None: it cannot be read."""
        if not self.driver.capabilities.readback:
            return self.driver.read_output(self.config.channel)  # notices at least that the device is gone
        return self._patiently(lambda: self.driver.read_output(self.config.channel))

    def contacts(self) -> tuple[bool, ...] | None:
        """The inputs; None: there are none, or they cannot be read."""
        if not self.driver.capabilities.inputs:
            return None
        return self._patiently(self.driver.read_inputs)

    def named_inputs(self) -> dict[int, str]:
        """Configuration key of each board input that has one."""
        own = ("board", "line") if self.config.family.switched_by == "control lines" else ("board",)
        return {each.number: KEYS[kind] for kind, each in wired(self.config).items() if each.source in own}

    def elsewhere(self) -> dict[str, bool | None]:
        """Configured contacts that are not inputs of the board: active, not, or (None) unknown.

        Raises:
            NeedsOperator: they cannot be read; the message gives the reason.
            RetryLater: the board's port is gone.
        """
        until_s = self.clock.monotonic() + SETTLE_S
        while True:
            for seen in self._elsewhere.poll(True):
                if (why := seen.problem) is not None:
                    raise NeedsOperator(why.message, code=why.code, hint=why.hint)
            states = self._elsewhere.states()
            if None not in states.values() or self.clock.monotonic() >= until_s:
                return states
            self.clock.sleep(POLL_S)

    def close(self) -> None:
        """Close the port and release GPIO lines; the relay keeps its state."""
        self._elsewhere.close()
        self.driver.close()

    def off(self) -> Switched:
        """Switch off, repeated until readback shows the result."""
        return self.relay.switch_surely(False, give_up=lambda: False)

    @property
    def hardware_limit(self) -> bool:
        """The board itself would switch off after `max_on_s` at the latest."""
        return self.hardware_pulse or self.relay.times_pulse(self.config.max_on_s)

    def on(self, pulse_s: float | None = None) -> Switched:
        """Switch on as in service, with the board's own timer if it has one: `pulse_s`, else `max_on_s`."""
        timer_s = self.config.max_on_s if pulse_s is None else pulse_s
        return self.relay.switch(True, room_s=math.inf, timer_s=timer_s)

    def pause(self, seconds: float) -> None:
        """Wait, and feed the board's watchdog."""
        until_s = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until_s:
            self.relay.feed_watchdog()
            self.clock.sleep(min(max(0.0, until_s - self.clock.monotonic()), 1.0))

    def _patiently(self, read: Callable[[], T | None]) -> T | None:
        for _ in range(MISSES):
            answer = read()
            if answer is not None:
                return answer
            self.clock.sleep(POLL_S)
        return None


@contextmanager
def commissioning_session(config: GateConfig, clock: Clock) -> Iterator[CommissioningSession]:
    """Open the configured board; at the end switch the relay off if it was moved, and close the port.

    Raises:
        NeedsOperator: `relay_port_busy`: the daemon or another program has it; `relay_stuck`, at the end:
            the relay could not be switched off for sure.
        RetryLater, NeedsOperator, Misconfigured: as the driver.
    """
    sim_url = simulated_board(config)
    sim = SimBoard(sim_url, clock) if sim_url else None
    try:
        path = str(sim.link) if sim else config.port
        port = SerialPort(path, config.baud, clock)
        board = CommissioningSession(config, clock, make_driver(config, port, clock), port, sim)
        try:
            _open(board)
            yield board
        finally:
            if board.relay.may_be_on:
                board.relay.make_safe()
            board.close()
        if board.relay.may_be_on:
            raise _not_off(path)
    finally:
        if sim:
            sim.close()


def _open(board: CommissioningSession) -> None:
    try:
        board.driver.open()
    except NeedsOperator as error:
        if error.code != "relay_port_busy":
            raise
        guarded = board.config.guard is not None
        owner, unit = ("gate guard", "edged-gate-guard@NAME") if guarded else ("daemon", "edged")
        raise NeedsOperator(
            error.message,
            code=error.code,
            hint=f"The port belongs to one program at a time. If it is the {owner}: systemctl stop {unit}, "
            f"and start it again afterwards. {error.hint}",
        ) from error


def _not_off(path: str) -> NeedsOperator:
    return NeedsOperator(
        f"The relay of the board at {path} could not be switched off for sure: the door may be unlocked.",
        code="relay_stuck",
        hint="Look at the door and at the relay's light now; cut the board's supply if it stays on.",
    )


def pulse_length_s(gate: GateConfig, wanted_s: float | None = None) -> float:
    """The length of a trial pulse: `wanted_s`, or the on-time of the configuration.

    Raises:
        Misconfigured: `bad_pulse`: too short to be measured, or longer than `gate.max_on_s`.
    """
    if wanted_s is None:
        wanted_s = gate.pulse_s if gate.mode == "pulse" else gate.hold_s
    if not SHORTEST_PULSE_S <= wanted_s <= gate.max_on_s:
        raise Misconfigured(
            f"A pulse of {wanted_s:g} s is not possible.",
            code="bad_pulse",
            hint=f"Give {SHORTEST_PULSE_S:g} to {gate.max_on_s:g} seconds; gate.max_on_s is the limit.",
        )
    return wanted_s


def pulse_once(board: CommissioningSession, seconds: float) -> tuple[StepResult, float | None]:
    """One pulse; also its measured length in seconds, None where the relay cannot be read.

    The relay is off afterwards, or the result says that it is not.
    """
    by_board = board.times_pulse(seconds)
    timer = "by the board" if by_board else "by this program"
    on = board.on(seconds if by_board else None)
    if on.acknowledged is False:
        board.off()
        return StepResult("pulse", StepOutcome.FAILED, "the relay did not switch on"), None
    if not board.driver.capabilities.readback:
        board.pause(on.written_s + seconds - board.clock.monotonic())
        board.off()
        return StepResult(
            "pulse", StepOutcome.UNSURE, f"{seconds:g} s {timer}; this board cannot be read"
        ), None
    ended_s = _wait_for_end(board, on.written_s + seconds, by_board)
    off = board.off()
    if off.acknowledged is not True or ended_s is None:
        return StepResult("pulse", StepOutcome.FAILED, "the relay did not switch off by itself in time"), None
    length_s = ended_s - on.written_s
    text = f"{length_s:.2f} s measured, {seconds:g} s wanted, timed {timer}"
    good = abs(length_s - seconds) <= PULSE_TOLERANCE_S
    return StepResult("pulse", StepOutcome.OK if good else StepOutcome.FAILED, text), length_s


def _wait_for_end(board: CommissioningSession, end_s: float, by_board: bool) -> float | None:
    """Monotonic time at which the relay read back off, or this program switched it off. None: it stays on."""
    if not by_board:
        board.pause(end_s - board.clock.monotonic())
        return board.off().written_s
    while board.clock.monotonic() < end_s + 1.0:
        asked_s = board.clock.monotonic()
        if board.state() is False:
            return asked_s
        board.clock.sleep(0.01)
    return None


def bits(states: tuple[bool, ...]) -> str:
    """`0100`: the first contact first."""
    return "".join("1" if state else "0" for state in states)
