"""Contacts of a door: polarity, supervision and debouncing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.gate.door.inputs import Debouncer, DoorInputs, InputEdge, InputKind, InputRule

DOOR, EXIT, PASSAGE, FIRE, TAMPER = (
    InputKind.DOOR,
    InputKind.EXIT,
    InputKind.PASSAGE,
    InputKind.FIRE,
    InputKind.TAMPER,
)
CLOSED, OPEN = True, False

samples = st.lists(st.tuples(st.booleans(), st.integers(0, 80)), min_size=1, max_size=60)
"""Raw bits and the milliseconds since the sample before."""


def wired(kind: InputKind, number: int, *, debounce_s: float = 0.05) -> InputRule:
    """A contact as it should be wired: closed at rest where a cut wire must show."""
    return InputRule(kind, number, kind in (DOOR, FIRE, TAMPER), debounce_s)


def at_times(drawn):
    """The drawn samples with absolute times in seconds, exact in binary."""
    now, timed = 0, []
    for bit, gap in drawn:
        now += gap
        timed.append((bit, now / 1024))
    return timed


def settled(rule: InputRule, *bits_and_times: tuple[bool, float]) -> list[InputEdge]:
    contact = Debouncer(rule)
    edges = [contact.sample(bit, at_s) for bit, at_s in bits_and_times]
    return [edge for edge in edges if edge]


@pytest.mark.parametrize("kind", [DOOR, FIRE, TAMPER])
def test_a_cut_wire_reads_as_open_door_fire_or_tampering(kind):
    assert wired(kind, 1).is_active(OPEN)
    assert not wired(kind, 1).is_active(CLOSED)


@pytest.mark.parametrize("kind", [EXIT, PASSAGE])
def test_a_cut_wire_is_nobody_who_leaves_or_passes(kind):
    assert not wired(kind, 1).is_active(OPEN)
    assert wired(kind, 1).is_active(CLOSED)


def test_nothing_is_known_before_the_first_value_has_lasted():
    contact = Debouncer(wired(DOOR, 1))
    assert contact.sample(CLOSED, 10.0) is None
    assert contact.active is None
    assert contact.due_s == pytest.approx(10.05)
    assert contact.sample(CLOSED, 10.05) == InputEdge(DOOR, False, 10.0, 10.05, first=True)
    assert contact.active is False
    assert contact.due_s is None


def test_an_edge_tells_when_it_began_and_when_it_was_believed():
    edges = settled(wired(EXIT, 1), (OPEN, 0.0), (OPEN, 0.1), (CLOSED, 0.2), (CLOSED, 0.25))
    assert edges[1:] == [InputEdge(EXIT, True, 0.2, 0.25, first=False)]


def test_bouncing_is_one_edge_counted_from_the_last_bounce():
    bounces = [(CLOSED, 0.200), (OPEN, 0.204), (CLOSED, 0.209), (OPEN, 0.212), (CLOSED, 0.216)]
    edges = settled(wired(EXIT, 1), (OPEN, 0.0), (OPEN, 0.1), *bounces, (CLOSED, 0.24), (CLOSED, 0.27))
    assert [(edge.active, edge.began_s, edge.at_s) for edge in edges[1:]] == [(True, 0.216, 0.27)]


def test_one_disturbed_sample_is_no_edge_however_slow_the_polling():
    polled = [(CLOSED, 0.0), (CLOSED, 0.1), (OPEN, 0.2), (CLOSED, 0.3), (CLOSED, 0.4)]
    assert [edge.active for edge in settled(wired(FIRE, 1), *polled)] == [False]


def test_a_passage_pulse_of_300_ms_is_seen_when_polled_every_100_ms():
    polled = [(OPEN, 0.0), (OPEN, 0.1), (CLOSED, 0.2), (CLOSED, 0.3), (CLOSED, 0.4), (OPEN, 0.5), (OPEN, 0.6)]
    assert [edge.active for edge in settled(wired(PASSAGE, 1), *polled)] == [False, True, False]


def test_without_a_debounce_time_every_sample_counts():
    rule = wired(EXIT, 1, debounce_s=0)
    assert [edge.active for edge in settled(rule, (OPEN, 0.0), (CLOSED, 0.0), (OPEN, 0.1))] == [
        False,
        True,
        False,
    ]


@given(samples, st.sampled_from([0.0, 0.03125, 0.0625]))
def test_edges_alternate_and_only_the_first_one_is_called_first(drawn, debounce_s):
    edges = settled(wired(DOOR, 1, debounce_s=debounce_s), *at_times(drawn))
    assert all(a.active is not b.active for a, b in pairwise(edges))
    assert [edge.first for edge in edges] == [True, *[False] * (len(edges) - 1)][: len(edges)]


@given(samples, st.sampled_from([0.0, 0.03125, 0.0625]))
def test_every_edge_was_seen_unbroken_for_the_debounce_time(drawn, debounce_s):
    rule = wired(DOOR, 1, debounce_s=debounce_s)
    timed = at_times(drawn)
    for edge in settled(rule, *timed):
        assert edge.at_s - edge.began_s >= debounce_s
        between = {rule.is_active(bit) for bit, at_s in timed if edge.began_s < at_s < edge.at_s}
        assert between <= {edge.active}


@given(samples, st.booleans(), st.sampled_from([0.0, 0.03125, 0.0625]))
def test_whatever_came_before_a_steady_contact_is_believed_in_the_end(drawn, bit, debounce_s):
    contact = Debouncer(wired(TAMPER, 1, debounce_s=debounce_s))
    timed = at_times(drawn)
    for earlier, at_s in timed:
        contact.sample(earlier, at_s)
    end_s = timed[-1][1] + 1.0
    contact.sample(bit, end_s)
    contact.sample(bit, end_s + debounce_s)
    assert contact.active is contact.rule.is_active(bit)


@given(samples)
def test_a_sample_when_one_is_due_settles(drawn):
    contact = Debouncer(wired(DOOR, 1))
    for bit, at_s in at_times(drawn):
        contact.sample(bit, at_s)
    due_s = contact.due_s
    if due_s is not None:
        assert contact.sample(bit, max(due_s, at_s)) is not None


def test_contacts_of_a_door_are_read_from_the_inputs_they_are_wired_to():
    inputs = DoorInputs([wired(DOOR, 3), wired(FIRE, 1), wired(EXIT, 2, debounce_s=0.03)])
    assert inputs.highest == 3
    inputs.sample((CLOSED, OPEN, CLOSED), 0.0)
    assert inputs.due_s == pytest.approx(0.03)
    edges = inputs.sample((CLOSED, OPEN, CLOSED), 0.05)
    assert [(edge.kind, edge.active) for edge in edges] == [(DOOR, False), (FIRE, False), (EXIT, False)]
    inputs.sample((CLOSED, CLOSED, OPEN), 0.1)
    edges = inputs.sample((CLOSED, CLOSED, OPEN), 0.2)
    assert [(edge.kind, edge.active) for edge in edges] == [(DOOR, True), (EXIT, True)]
    assert (inputs.active(DOOR), inputs.active(EXIT), inputs.active(FIRE)) == (True, True, False)
    assert inputs.active(TAMPER) is None


def test_after_a_lost_board_nothing_is_known_until_it_has_been_read_again():
    inputs = DoorInputs([wired(FIRE, 1)])
    inputs.sample((CLOSED,), 0.0)
    inputs.sample((CLOSED,), 0.1)
    inputs.lost()
    assert inputs.active(FIRE) is None
    inputs.sample((OPEN,), 5.0)
    assert inputs.active(FIRE) is None
    assert inputs.sample((OPEN,), 5.1) == [InputEdge(FIRE, True, 5.0, 5.1, first=True)]


def test_no_contacts_at_all_are_no_error():
    inputs = DoorInputs([])
    assert (inputs.highest, inputs.due_s, inputs.sample((), 0.0)) == (0, None, [])


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([wired(DOOR, 1), wired(DOOR, 2)], "same kind"),
        ([wired(DOOR, 1), wired(FIRE, 1)], "same number"),
        ([wired(DOOR, 0)], "count from 1"),
        ([wired(DOOR, 1, debounce_s=-1)], "not negative"),
    ],
)
def test_wiring_that_makes_no_sense_is_refused(rules, why):
    with pytest.raises(ValueError, match=why):
        DoorInputs(rules)


def test_an_input_the_board_does_not_have_is_said():
    with pytest.raises(ValueError, match="reports 1 inputs, number 2"):
        DoorInputs([wired(DOOR, 2)]).sample((True,), 0.0)
