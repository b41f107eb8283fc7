"""Whatever fails, in any order: no record is lost, none is taken twice."""

from __future__ import annotations

import pytest
from delivery_rig import ListTarget
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.delivery.target import DeliveryFailed, Refused
from edged.errors import NeedsOperator

FAULTS = [
    None,
    DeliveryFailed("away", code="x"),
    DeliveryFailed("500", code="y", about_record=True),
    NeedsOperator("certificate", code="z"),
]


@pytest.fixture
def filled(make):
    """A journal of twelve decisions, which many targets may be fed from one after the other."""
    rig = make()
    rig.decide(*range(1, 13))
    return rig


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=30),
    batch=st.integers(1, 4),
    poisoned=st.sets(st.integers(1, 12), max_size=2),
    restarts=st.sets(st.integers(1, 30), max_size=3),
)
def test_whatever_fails_every_record_is_taken_or_a_dead_letter_and_none_is_taken_twice(
    filled, faults, batch, poisoned, restarts
):
    rig = filled
    remaining = list(faults)

    def behave(messages):
        error = remaining.pop() if remaining else None
        if error is not None:
            raise error
        if any(message.seq in poisoned for message in messages):
            raise Refused("400", code="delivery_refused")

    rig.begin_anew(f"target{len(rig.outbox.places())}", ListTarget(batch, behave))
    for number in range(300):
        if number in restarts:
            rig.pump.close()
            rig.pump = rig.new_pump()
        step = rig.pump.step()
        if step.idle:
            break
        rig.clock.advance(step.wait_s)
    assert {message.seq for message in rig.target.taken} == set(range(1, 13)) - poisoned
    assert {letter.seq for letter in rig.outbox.dead_letters(rig.settings.name)} == poisoned
    assert rig.target.ids == sorted(rig.target.ids, key=lambda i: int(i.rpartition("-")[2]))
    assert len(set(rig.target.ids)) == len(rig.target.ids)
