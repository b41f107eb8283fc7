"""The one-slot mailbox: newest wins, nothing is silent, a cut is never forgotten."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edged.camera.mailbox import Mailbox
from edged.frame import Frame

DEADLINE_S = 30.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def frame(number: int, cut: bool = False) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), number, float(number), NOW, cut)


def test_the_newest_frame_replaces_a_waiting_one_and_the_drop_is_counted() -> None:
    mailbox = Mailbox()
    for number in (1, 2, 3):
        mailbox.put(frame(number))
    assert mailbox.take(0).number == 3
    assert mailbox.dropped == 2


def test_a_frame_is_taken_once() -> None:
    mailbox = Mailbox()
    mailbox.put(frame(1))
    assert mailbox.take(0).number == 1
    assert mailbox.take(0) is None


def test_the_cut_of_a_dropped_frame_is_carried_over() -> None:
    mailbox = Mailbox()
    mailbox.put(frame(1, cut=True))
    mailbox.put(frame(2))
    mailbox.put(frame(3))
    taken = mailbox.take(0)
    assert (taken.number, taken.cut) == (3, True)
    mailbox.put(frame(4))
    assert not mailbox.take(0).cut


@given(st.lists(st.sampled_from(["put", "put cut", "take"]), max_size=40))
def test_every_frame_is_either_taken_or_counted_and_no_cut_gets_lost(steps: list[str]) -> None:
    mailbox, taken, put, cut_owed = Mailbox(), 0, 0, False
    for step in [*steps, "take"]:
        if step == "take":
            got = mailbox.take(0)
            if got is not None:
                taken += 1
                assert got.number == put
                assert got.cut == cut_owed
                cut_owed = False
        else:
            put += 1
            cut_owed = cut_owed or step == "put cut"
            mailbox.put(frame(put, cut=step == "put cut"))
    assert taken + mailbox.dropped == put


def test_a_closed_mailbox_gives_its_last_frame_and_takes_no_more() -> None:
    mailbox = Mailbox()
    mailbox.put(frame(1))
    mailbox.close()
    assert mailbox.closed
    assert not mailbox.finished
    assert not mailbox.put(frame(2))
    assert mailbox.take().number == 1
    assert mailbox.take() is None
    assert mailbox.finished


def test_close_wakes_a_waiting_taker() -> None:
    mailbox, got = Mailbox(), []
    taker = threading.Thread(target=lambda: got.append(mailbox.take()))
    taker.start()
    mailbox.close()
    taker.join(DEADLINE_S)
    assert got == [None]


def test_wait_empty_holds_the_putter_until_the_frame_is_taken() -> None:
    mailbox, answers = Mailbox(), []
    mailbox.put(frame(1))
    assert not mailbox.wait_empty(0)
    putter = threading.Thread(target=lambda: answers.append(mailbox.wait_empty(DEADLINE_S)))
    putter.start()
    assert mailbox.take(0).number == 1
    putter.join(DEADLINE_S)
    assert answers == [True]
    assert mailbox.dropped == 0


def test_close_wakes_a_waiting_putter_with_no() -> None:
    mailbox, answers = Mailbox(), []
    mailbox.put(frame(1))
    putter = threading.Thread(target=lambda: answers.append(mailbox.wait_empty()))
    putter.start()
    mailbox.close()
    putter.join(DEADLINE_S)
    assert answers == [False]
