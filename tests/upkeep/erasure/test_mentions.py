"""Erasure: what the rows of others say about somebody, what is written meanwhile, what a crash has left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from upkeep_box import AT, NAME, OTHER, WHO, planted_box

from edged.attendance.punch import Direction, Punch
from edged.attendance.store import PunchLedger
from edged.delivery.outbox import Outbox, Refusal
from edged.events import PunchCorrected
from edged.library.store import LibraryStore
from edged.upkeep.backup import make_backup
from edged.upkeep.erasure.forget import forget, look_again
from edged.upkeep.files import INCOMING


@pytest.fixture
def box(tmp_path):
    return planted_box(tmp_path / "data")


def named_in(folder) -> set[str]:
    pieces = [text.encode() for text in (WHO, NAME, NAME.casefold())]
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {file.name for file in files if any(piece in file.read_bytes() for piece in pieces)}


def add_punch(box, decision_id: str) -> None:
    ledger = PunchLedger.open(box.data_dir, box.clock)
    ledger.add(
        Punch(
            person_id=WHO, person_name=NAME, at=AT + timedelta(hours=8), zone="UTC", direction=Direction.OUT,
            direction_by="alternate", decision_id=decision_id,
        )
    )  # fmt: skip
    ledger.close()


def test_who_corrected_the_punch_of_somebody_else_is_erased_there_too(box):
    ledger = PunchLedger.open(box.data_dir, box.clock)
    ledger.correct(4, void=True, reason=f"asked by {NAME.upper()}; see {NAME}", author=NAME)
    ledger.close()
    journal = box.open_journal()
    journal.write(
        PunchCorrected(
            at=AT, punch_id=6, corrects=4, action="void", person_id=OTHER, punch_at=AT, direction="in",
            reason=f"asked by {NAME}", author=NAME,
        )
    )  # fmt: skip
    journal.close()

    done = forget(box.data_dir, WHO, box.clock)

    assert (done.left, named_in(box.data_dir)) == ([], set())
    ledger = PunchLedger.open(box.data_dir, box.clock)
    assert ledger.rows(person_id=OTHER)[-1].author == done.pseudonym
    with pytest.raises(Exception, match="punches are not changed"):
        ledger._database._connection.execute("UPDATE punches SET reason = 'x'")
    ledger.close()


def test_what_was_written_about_the_punch_of_the_person_goes_whole(box):
    journal = box.open_journal()
    seq = journal.write(
        PunchCorrected(
            at=AT, punch_id=6, corrects=1, action="void", person_id=WHO, punch_at=AT, direction="in",
            reason="the tall one from the third floor", author="Kim",
        )
    )  # fmt: skip
    journal.close()
    forget(box.data_dir, WHO, box.clock)
    journal = box.open_journal()
    assert journal.find(str(seq))[0].payload["reason"] == "(erased)"
    journal.close()


def test_who_recorded_the_consent_of_somebody_else_is_erased_there_too(box):
    store = LibraryStore.open(box.data_dir, box.clock)
    store.record_consent(OTHER, "cloud", given=True, recorded_by=NAME, note=f"told {WHO}")
    store.close()
    done = forget(box.data_dir, WHO, box.clock)
    assert (done.left, named_in(box.data_dir)) == ([], set())


def test_what_a_receiver_said_about_the_person_is_erased(box):
    outbox = Outbox.open(box.data_dir, box.clock)
    outbox.configure({"office": 0})
    journal = box.open_journal()
    refusal = Refusal(journal.list(limit=1)[0], "delivery_refused", f"no employee {NAME}", 1)
    outbox.advance("office", journal.list(limit=1)[0], 0, [refusal])
    outbox.close()
    journal.close()
    done = forget(box.data_dir, WHO, box.clock)
    assert (done.left, named_in(box.data_dir)) == ([], set())


def test_a_punch_that_a_running_daemon_makes_meanwhile_is_erased(box):
    done = forget(box.data_dir, WHO, box.clock)
    add_punch(box, "d_late")
    look_again(box.data_dir, done, box.clock)
    assert (done.left, named_in(box.data_dir)) == ([], set())


def test_what_unfinished_backups_and_restorations_have_left_goes_too(box, tmp_path):
    broken = make_backup(box.data_dir, tmp_path / "stick", box.clock).path
    (broken / "manifest.json").write_text("{")
    partial = tmp_path / "stick" / ".partial-edged-20260101T000000Z"
    partial.mkdir()
    (partial / "library.db").write_bytes((broken / "library.db").read_bytes())
    (box.data_dir / INCOMING).mkdir()
    (box.data_dir / INCOMING / "library.db").write_bytes((broken / "library.db").read_bytes())

    done = forget(box.data_dir, WHO, box.clock, backup_dirs=[tmp_path / "stick"])

    assert (done.left, named_in(tmp_path)) == ([], set())
    assert not broken.exists()
    assert not partial.exists()
