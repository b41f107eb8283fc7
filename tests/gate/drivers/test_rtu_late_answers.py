"""The Modbus master against a board that answers late or not at all: no answer is taken for another's.

The line is a model on a clock that moves only when told to. Boards answer in order; what an answer says is
the state at the time of its question; none comes later than the master's own bound.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.clock import ManualClock
from edged.gate.drivers.rtu import LATEST_ANSWER_S, AnswerPending, RtuMaster, frame

STEP_S = 0.01


class SlowBoard:
    """One relay behind a line. Plays the part of the serial port as well.

    Attributes:
        delay_s: of the answer to the next question; None: it is lost.
    """

    baud = 1_000_000
    path = "model"

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.relay = False
        self.delay_s: float | None = 0.0
        self.questions = 0
        self._coming: list[tuple[float, bytes]] = []

    def write(self, data: bytes) -> float:
        self.questions += 1
        if data[1] == 5:
            self.relay = data[4] == 0xFF
            answer = data
        else:
            answer = frame(1, bytes([data[1], 1, self.relay]))
        if self.delay_s is not None:
            in_order_s = max([at_s for at_s, _ in self._coming], default=0.0)
            self._coming.append((max(self.clock.monotonic() + self.delay_s, in_order_s), answer))
        return self.clock.monotonic()

    def read(self, done: Callable[[bytes], bool], within_s: float) -> bytes:
        data, until_s = b"", self.clock.monotonic() + within_s
        while not done(data) and self.clock.monotonic() < until_s:
            data += self._arrived()
            if not done(data):
                self.clock.advance(STEP_S)
        return data

    def discard(self) -> None:
        self._arrived()

    def discard_until_quiet(self, quiet_s: float, limit_s: float) -> None:
        until_s, limit_at = self.clock.monotonic() + quiet_s, self.clock.monotonic() + limit_s
        while self.clock.monotonic() < min(until_s, limit_at):
            if self._arrived():
                until_s = self.clock.monotonic() + quiet_s
            self.clock.advance(STEP_S)

    def _arrived(self) -> bytes:
        now = self.clock.monotonic()
        here = b"".join(data for at_s, data in self._coming if at_s <= now)
        self._coming = [(at_s, data) for at_s, data in self._coming if at_s > now]
        return here


delays = st.one_of(st.none(), st.just(0.0), st.floats(0.0, LATEST_ANSWER_S - 2 * STEP_S))
steps = st.one_of(
    st.tuples(st.sampled_from(["coils", "inputs", "on", "off"]), delays),
    st.tuples(st.just("moved by hand"), st.booleans()),
    st.tuples(st.just("time passes"), st.floats(0.0, 1.0)),
)


def play(steps: list[tuple[str, object]]) -> None:
    board = SlowBoard()
    master = RtuMaster(board)
    for what, value in steps:
        if what == "moved by hand":
            board.relay = value
        elif what == "time passes":
            board.clock.advance(value)
        elif what in ("on", "off"):
            board.delay_s = value
            with contextlib.suppress(ValueError):
                master.write(1, 5, 0, 0xFF00 if what == "on" else 0)
            assert board.relay is (what == "on")  # a write is always sent, at once
        else:
            board.delay_s = value
            asked = board.questions
            try:
                (state,) = master.read_bits(1, 1 if what == "coils" else 2, 0, 1)
            except AnswerPending:
                assert board.questions == asked
            except ValueError:
                pass
            else:
                assert state is board.relay


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=12))
def test_what_is_read_is_the_state_at_the_time_of_the_question(steps):
    play(steps)


@pytest.mark.parametrize("late_s", [0.31, 0.5, 0.75, 0.97])
def test_the_hazard_of_the_reference_is_the_one_that_is_met(late_s):
    play([("coils", late_s), ("moved by hand", True), ("coils", 0.0), ("coils", 0.0), ("coils", 0.0)])


def test_the_answer_to_an_older_command_of_the_same_kind_settles_nothing():
    play(
        [
            ("off", 0.97),  # answered in time for the second one
            ("coils", 0.8),  # and this is still to come then
            ("off", 0.0),
            ("moved by hand", True),
            ("coils", 0.0),
            ("coils", 0.0),
        ]
    )


def test_a_lost_answer_costs_one_question_when_something_else_was_answered_since():
    board = SlowBoard()
    master = RtuMaster(board)
    board.delay_s = None
    with pytest.raises(ValueError, match="no whole answer"):
        master.read_bits(1, 1, 0, 1)
    board.delay_s = 0.0
    master.write(1, 5, 0, 0xFF00)
    assert master.read_bits(1, 1, 0, 1) == (True,)


def test_a_lost_answer_is_waited_for_no_longer_than_a_second():
    board = SlowBoard()
    master = RtuMaster(board)
    board.delay_s = None
    with pytest.raises(ValueError, match="no whole answer"):
        master.read_bits(1, 1, 0, 1)
    board.delay_s = 0.0
    board.clock.advance(LATEST_ANSWER_S)
    assert master.read_bits(1, 1, 0, 1) == (False,)
