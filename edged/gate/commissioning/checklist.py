"""The commissioning checklist of `edged gate test`. Prints nothing; questions go to a `Witness`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.gate.board.relay_channel import Switched
from edged.gate.commissioning.session import (
    POLL_S,
    CommissioningSession,
    StepOutcome,
    StepResult,
    bits,
    pulse_once,
)

PLUG_WAIT_S = 60.0
CONTACT_WAIT_S = 15.0
SHOW_S = 1.0
"""Long enough to see a lamp and to try a handle."""


class Witness(Protocol):
    """The person at the door."""

    present: bool

    def sees(self, question: str) -> bool | None:
        """Yes or no; None: no person is there. The relay is off during the wait."""
        ...

    def asked_to(self, request: str) -> None:
        """Ask the person to act now."""
        ...


class Checklist:
    """The commissioning checklist of docs/gate.md, one method a step, in the order of `run`."""

    def __init__(self, board: CommissioningSession, witness: Witness) -> None:
        self._board = board
        self._witness = witness

    def run(self) -> Iterator[StepResult]:
        """Run the steps. A failed step does not end the run, a lost board does.

        Every step leaves the relay off.
        """
        for step in (self.connect, self.off, self.on, self.pulse, self.inputs, self.plug):
            try:
                yield step()
            except EdgedError as error:
                yield StepResult(step.__name__, StepOutcome.FAILED, str(error))
                return

    def connect(self) -> StepResult:
        """Presence of the board and state of its relay."""
        state = self._board.state()
        capabilities = self._board.driver.capabilities  # some boards need a question first
        can = [
            "can be read" if capabilities.readback else "cannot be read",
            f"{capabilities.inputs or 'no'} inputs",
            "ends the pulse itself" if self._board.hardware_pulse else "the pulse is timed by edged",
            "switches off after max_on_s by itself"
            if self._board.hardware_limit
            else "has no time limit of its own",
            "drops its relays when edged is silent" if capabilities.watchdog else "no watchdog",
        ]
        if state:
            return StepResult("connect", StepOutcome.UNSURE, f"relay was ON when found; {', '.join(can)}")
        return StepResult("connect", StepOutcome.OK, ", ".join(can))

    def off(self) -> StepResult:
        """Off, read back."""
        return self._judge("off", self._board.off(), "Is the relay's light off and the door locked?")

    def on(self) -> StepResult:
        """On for a moment, read back, seen. The relay is off again before the question."""
        on = self._board.on()
        self._board.pause(SHOW_S)
        off = self._board.off()
        if off.acknowledged is False:
            return StepResult("on", StepOutcome.FAILED, "the relay switched on and does not switch off")
        return self._judge("on", on, f"Did the relay click twice, and was the door open for {SHOW_S:g} s?")

    def pulse(self) -> StepResult:
        """The configured opening."""
        config = self._board.config
        return pulse_once(self._board, config.pulse_s if config.mode == "pulse" else config.hold_s)[0]

    def inputs(self) -> StepResult:
        """Contacts that change when a person operates them, wherever they are wired."""
        try:
            before = self._contacts()
        except NeedsOperator as error:
            return StepResult("inputs", StepOutcome.FAILED, str(error))
        if not before:
            return StepResult("inputs", StepOutcome.SKIPPED, "the board has none, and none is configured")
        if not self._witness.present:
            return StepResult("inputs", StepOutcome.UNSURE, f"{_read_as(before)}; nobody operated them")
        self._witness.asked_to(f"Operate every wired contact within the next {CONTACT_WAIT_S:g} seconds.")
        moved = self._contacts_moved(before)
        if not moved:
            return StepResult("inputs", StepOutcome.UNSURE, f"{_read_as(before)}; none of them changed")
        text = f"changed: {_listed(moved)}"
        if still := self._configured() - moved:
            return StepResult("inputs", StepOutcome.UNSURE, f"{text}; did not: {_listed(still)}")
        return StepResult("inputs", StepOutcome.OK, text)

    def _contacts(self) -> dict[str, bool | None]:
        """All readable contacts by their label: `input 1 (door_contact)`, `fire`."""
        named = self._board.named_inputs()
        own = enumerate(self._board.contacts() or (), start=1)
        return {_label(n, named): state for n, state in own} | self._board.elsewhere()

    def _configured(self) -> set[str]:
        named = self._board.named_inputs()
        return {_label(n, named) for n in named} | self._board.elsewhere().keys()

    def plug(self) -> StepResult:
        """State of the relay while the plug is out, and reconnection."""
        if self._board.config.family.switched_by == "nothing":
            return StepResult("plug", StepOutcome.SKIPPED, "there is no board")
        if self._board.sim is None and not self._witness.present:
            return StepResult("plug", StepOutcome.SKIPPED, "nobody is there to pull the plug")
        if self._witness.sees("Can you pull the board's plug now? The door is open meanwhile.") is False:
            return StepResult("plug", StepOutcome.SKIPPED, "nobody wanted to pull the plug")
        self._board.on()
        self._pull()
        if not self._wait_until(self._lost, self._board.config.max_on_s):
            self._board.off()
            return StepResult("plug", StepOutcome.SKIPPED, "the plug was not pulled")
        self._put_back()
        if not self._wait_until(self._back, PLUG_WAIT_S):
            raise RetryLater(
                "The board did not come back.", code="relay_port_missing", hint="Check its plug."
            )
        stayed_on = self._board.state()
        off = self._board.off()
        if off.acknowledged is False:
            return StepResult("plug", StepOutcome.FAILED, "found again, but the relay does not switch off")
        return StepResult("plug", StepOutcome.OK, f"found again and switched off; {_without_plug(stayed_on)}")

    # -- inside

    def _judge(self, step: str, switched: Switched, question: str) -> StepResult:
        if switched.acknowledged is False:
            return StepResult(step, StepOutcome.FAILED, "the relay reads back the opposite")
        seen = self._witness.sees(question)
        if seen is False:
            return StepResult(
                step, StepOutcome.FAILED, "not seen at the door: check the wiring and gate.channel"
            )
        if seen is None and switched.acknowledged is None:
            return StepResult(step, StepOutcome.UNSURE, "commanded; it cannot be read and nobody looked")
        proofs = ["read back"] if switched.acknowledged else []
        return StepResult(step, StepOutcome.OK, " and ".join([*proofs, *(["seen"] if seen else [])]))

    def _contacts_moved(self, before: dict[str, bool | None]) -> set[str]:
        moved: set[str] = set()
        until_s = self._board.clock.monotonic() + CONTACT_WAIT_S
        while self._board.clock.monotonic() < until_s:
            now = self._contacts()
            moved |= {label for label in before if now.get(label) not in (None, before[label])}
            self._board.pause(POLL_S)
        return moved

    def _pull(self) -> None:
        if self._board.sim:
            self._board.sim.unplug()
        else:
            self._witness.asked_to("The relay is on. Pull the board's plug now (USB, or the adapter's).")

    def _put_back(self) -> None:
        if self._board.sim:
            self._board.sim.plug()
        else:
            self._witness.asked_to("It is gone. Watch whether the relay drops, then plug it in again.")

    def _wait_until(self, happened: Callable[[], bool], within_s: float) -> bool:
        until_s = self._board.clock.monotonic() + within_s
        while not happened():
            if self._board.clock.monotonic() >= until_s:
                return False
            self._board.clock.sleep(POLL_S)
        return True

    def _lost(self) -> bool:
        try:
            self._board.relay.feed_watchdog()
            self._board.driver.read_output(self._board.config.channel)
        except EdgedError:
            return True
        return False

    def _back(self) -> bool:
        try:
            self._board.driver.open()
        except EdgedError:
            return False
        return True


def _without_plug(stayed_on: bool | None) -> str:
    if stayed_on is None:
        return "it cannot be read, so look yourself: does the relay drop with the plug?"
    if stayed_on:
        return "the relay STAYED ON without the plug: see docs/gate.md, boards with a supply of their own"
    return "the relay drops with the plug"


def _label(number: int, named: Mapping[int, str]) -> str:
    return f"input {number} ({named[number]})" if number in named else f"input {number}"


def _read_as(contacts: Mapping[str, bool | None]) -> str:
    """`read as 0100, fire quiet`: the board's own inputs first."""
    own = tuple(bool(state) for label, state in contacts.items() if label.startswith("input "))
    words = {None: "not known", False: "quiet", True: "active"}
    others = [f"{key} {words[state]}" for key, state in contacts.items() if not key.startswith("input ")]
    return f"read as {', '.join(filter(None, [bits(own), *others]))}"


def _listed(labels: Iterable[str]) -> str:
    """`input 1 (door_contact), input 3`."""
    return ", ".join(sorted(labels, key=lambda label: (len(label.partition(" (")[0]), label)))
