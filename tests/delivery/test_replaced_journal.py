"""Delivering from a journal that is not the one the target was fed from before."""

from __future__ import annotations

import pytest
from delivery_rig import DEVICE, ListTarget, Rig

from edged.journal import Journal, journal_path


@pytest.fixture
def rig(tmp_path):
    made = Rig(tmp_path, ListTarget())
    yield made
    made.close()


def test_a_journal_begun_anew_is_delivered_under_ids_that_were_not_used(rig, tmp_path):
    rig.decide(1, 2, 3)
    rig.run()
    rig.pump.close()
    rig.journal.close()
    for name in ("", "-wal", "-shm"):
        journal_path(tmp_path).with_name(journal_path(tmp_path).name + name).unlink(missing_ok=True)
    rig.clock.advance(60)
    rig.journal = Journal.open(journal_path(tmp_path), rig.clock)
    rig.decide(4, 5)
    rig.pump = rig.new_pump()
    rig.run()
    assert rig.target.ids == [*(f"{DEVICE}-{n}" for n in (1, 2, 3)), f"{DEVICE}-s2-1", f"{DEVICE}-s2-2"]
    assert rig.target.taken[-1].body["decisionId"] == "d_5"


def test_a_journal_that_was_restored_goes_on_after_what_was_delivered(rig, tmp_path):
    rig.decide(1, 2)
    rig.journal.close()
    backup = journal_path(tmp_path).read_bytes()
    rig.journal = Journal.open(journal_path(tmp_path), rig.clock)
    rig.clock.advance(5)
    rig.decide(3, 4)
    rig.run()
    rig.pump.close()
    rig.journal.close()
    journal_path(tmp_path).write_bytes(backup)
    rig.clock.advance(60)
    rig.journal = Journal.open(journal_path(tmp_path), rig.clock)
    rig.decide(5, 6, 7)  # their numbers begin with that of decision 3
    rig.pump = rig.new_pump()
    rig.run()
    assert [message.body["decisionId"] for message in rig.target.taken] == [f"d_{n}" for n in range(1, 8)]
    assert len(set(rig.target.ids)) == 7
