"""Erasure: nothing of the person is left in any file, everything else is, and the chain still holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from upkeep_box import NAME, OTHER, OTHER_NAME, WHO, noise, planted_box, template

from edged.attendance.store import PunchLedger
from edged.errors import NotFound, RetryLater
from edged.events import AccessDecided, Outcome
from edged.journal import JournalReader, journal_path
from edged.library.store import LibraryStore
from edged.upkeep.backup import check_backup, list_backups, make_backup
from edged.upkeep.erasure import forget as forgetting
from edged.upkeep.erasure.forget import forget, look_again, unfinished
from edged.upkeep.erasure.marker import FILE_NAME as UNFINISHED
from edged.upkeep.erasure.scan import Needle, part_needles, scan, text_needles
from edged.upkeep.files import ASIDE, BACKUPS
from edged.upkeep.restore import restore
from edged.upkeep.verify import Level, verify


@pytest.fixture
def box(tmp_path):
    made = planted_box(tmp_path / "data")
    made.fail_about(f"could not greet {NAME} ({WHO}) today")
    return made


def planted() -> dict[str, bytes]:
    """Everything of the person that went into the box, in pieces a file may hold."""
    pieces = {"id": WHO.encode(), "name": NAME.encode(), "folded": NAME.casefold().encode()}
    pieces["template"] = template(1).tobytes()[100:160]
    pieces["photograph"] = noise(1)[5000:5060]
    pieces |= {f"snapshot {n}": noise(10_000 + n)[5000:5060] for n in (1, 2, 3)}
    return pieces


def found_in(*folders) -> set[str]:
    """Which planted pieces stand in any file below these folders, looked for independently of the product."""
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return {
        what
        for what, piece in planted().items()
        for file in files
        if piece in file.read_bytes() or piece in file.name.encode()
    }


def problems(box) -> list[str]:
    found = verify(box.data_dir, box.clock, backup_dirs=[box.data_dir / BACKUPS], expect_backup=False)
    return [finding.message for finding in found if finding.level is Level.PROBLEM]


def test_before_the_erasure_everything_is_found(box):
    assert found_in(box.data_dir) == set(planted())


def test_nothing_of_an_erased_person_is_left_in_any_file(box):
    done = forget(box.data_dir, WHO, box.clock)

    assert found_in(box.data_dir) == set()
    assert done.left == []
    assert (done.photographs, done.snapshots, done.decisions, done.punches) == (1, 3, 3, 3)
    assert done.records == 3 * 4 + 1


def test_what_is_left_is_counted_under_one_pseudonym(box):
    done = forget(box.data_dir, WHO, box.clock)

    journal = JournalReader.open_readonly(journal_path(box.data_dir))
    decisions = journal.list(person=done.pseudonym, event="access_decided")
    assert [(r.outcome, r.payload["person_name"]) for r in decisions] == [("granted", done.pseudonym)] * 3
    (erased,) = journal.list(event="person_erased")
    assert erased.payload["decisions"] == 3
    assert [entry["purpose"] for entry in erased.payload["consents"]] == ["attendance"]
    journal.close()
    ledger = PunchLedger.open(box.data_dir, box.clock)
    assert len(ledger.rows(person_id=done.pseudonym)) == 3
    ledger.close()


def test_the_chain_holds_after_an_erasure_and_a_change_still_shows(box):
    forget(box.data_dir, WHO, box.clock)
    assert problems(box) == []

    journal = box.open_journal()
    with journal.database.transaction() as connection:
        connection.execute("UPDATE records SET payload = replace(payload, 'granted', 'denied') WHERE seq = 3")
    journal.close()

    assert "Record 3 was changed after it was written." in problems(box)


def test_nobody_can_try_out_whom_a_pseudonym_stands_for(box):
    """With the salt, the hash of the personal fields could be compared with that of every likely person."""
    forget(box.data_dir, WHO, box.clock)

    journal = box.open_journal()
    salts = journal.database.query(
        "SELECT salt FROM chain JOIN records USING (seq) WHERE person_id LIKE 'erased%'"
    )
    assert [row[0] for row in salts] == [None] * 3
    journal.close()


def test_everybody_else_stays_as_they_were(box):
    forget(box.data_dir, WHO, box.clock)

    store = LibraryStore.open(box.data_dir, box.clock)
    assert store.get(OTHER).name == OTHER_NAME
    assert store.photos.path(store.faces(OTHER)[0].photo).read_bytes() == noise(2)
    store.close()
    journal = JournalReader.open_readonly(journal_path(box.data_dir))
    assert len(journal.list(person=OTHER, event="access_decided")) == 2
    assert journal.snapshot("d_4") is not None
    journal.close()


def test_a_person_whose_id_begins_another_ones_is_erased_alone(box):
    box.enrol("zzyx_planted_id_junior", f"{NAME} junior", 3)
    box.pass_through("zzyx_planted_id_junior", f"{NAME} junior")

    done = forget(box.data_dir, WHO, box.clock)

    assert done.left == []
    journal = JournalReader.open_readonly(journal_path(box.data_dir))
    (record,) = journal.list(person="zzyx_planted_id_junior", event="access_decided")
    assert record.payload["person_name"] == f"{NAME} junior"
    journal.close()


def test_backups_are_written_anew_without_the_person(box, tmp_path):
    inside, outside = box.data_dir / BACKUPS, tmp_path / "stick"
    make_backup(box.data_dir, inside, box.clock)
    make_backup(box.data_dir, outside, box.clock)
    assert found_in(inside, outside) == set(planted())

    done = forget(box.data_dir, WHO, box.clock, backup_dirs=[inside, outside])

    assert found_in(box.data_dir, outside) == set()
    assert (done.backups, done.removed) == (2, [])
    for backup in (*list_backups(inside), *list_backups(outside)):
        check_backup(backup)
        assert backup.pictures == 3
    assert problems(box) == []


def test_an_erased_person_does_not_come_back_with_a_backup(box, tmp_path):
    backup = make_backup(box.data_dir, tmp_path / "b", box.clock)
    done = forget(box.data_dir, WHO, box.clock, backup_dirs=[tmp_path / "b"])

    restore(backup.path, box.data_dir, box.clock)

    assert found_in(box.data_dir) == set()
    assert problems(box) == []
    journal = JournalReader.open_readonly(journal_path(box.data_dir))
    assert len(journal.list(person=done.pseudonym, event="access_decided")) == 3
    journal.close()


def test_a_backup_that_cannot_be_written_anew_is_removed(box, tmp_path):
    backup = make_backup(box.data_dir, tmp_path / "b", box.clock)
    with (backup.path / "journal.sqlite3").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 8192)

    done = forget(box.data_dir, WHO, box.clock, backup_dirs=[tmp_path / "b"])

    assert done.removed == [str(backup.path)]
    assert not backup.path.exists()
    assert found_in(tmp_path) == set()


def test_former_databases_that_were_set_aside_are_removed(box):
    (box.data_dir / ASIDE / "x").mkdir(parents=True)
    (box.data_dir / ASIDE / "x" / "library.db").write_bytes(WHO.encode())

    done = forget(box.data_dir, WHO, box.clock)

    assert done.removed == [str(box.data_dir / ASIDE)]
    assert found_in(box.data_dir) == set()


def test_names_of_earlier_days_go_too(box):
    box.pass_through(WHO, "Zzyxa Maidenname")

    forget(box.data_dir, WHO, box.clock)

    files = [file.read_bytes() for file in box.data_dir.rglob("*") if file.is_file()]
    assert not any(b"Zzyxa Maidenname" in content for content in files)


def test_somebody_who_was_removed_from_the_library_before_can_be_erased(box):
    store = LibraryStore.open(box.data_dir, box.clock)
    store.remove_person(WHO)
    store.close()

    done = forget(box.data_dir, WHO, box.clock)

    assert (done.in_library, done.decisions) == (False, 3)
    assert found_in(box.data_dir) == set()


@pytest.mark.parametrize("nothing", ["", " "])
def test_no_id_is_nobody_and_nothing_is_touched(box, nothing):
    before = found_in(box.data_dir)
    with pytest.raises(NotFound):
        forget(box.data_dir, nothing, box.clock)
    assert found_in(box.data_dir) == before


def test_somebody_nobody_knows_is_said_to_be_unknown(box):
    with pytest.raises(NotFound) as raised:
        forget(box.data_dir, "nobody_at_all", box.clock)

    assert raised.value.code == "person_unknown"
    assert unfinished(box.data_dir) is None


def test_an_interrupted_erasure_shows_and_is_finished_under_the_same_pseudonym(box, monkeypatch):
    def interrupted(*arguments) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(forgetting, "_prove", interrupted)
        patch.setattr(forgetting, "_anonymise", interrupted)
        with pytest.raises(KeyboardInterrupt):
            forget(box.data_dir, WHO, box.clock)

    assert unfinished(box.data_dir) == WHO
    assert any("An erasure was interrupted" in problem for problem in problems(box))
    pseudonym = json.loads((box.data_dir / UNFINISHED).read_text())["pseudonym"]
    with pytest.raises(RetryLater) as raised:
        forget(box.data_dir, OTHER, box.clock)
    assert raised.value.code == "erasure_unfinished"

    done = forget(box.data_dir, WHO, box.clock)

    assert done.pseudonym == pseudonym
    assert found_in(box.data_dir) == set()
    assert problems(box) == []


def test_what_a_running_daemon_writes_meanwhile_is_found_and_erased(box):
    """The daemon's own connections are open, and it had just recognised the person."""
    journal, store = box.open_journal(), LibraryStore.open(box.data_dir, box.clock)
    done = forget(box.data_dir, WHO, box.clock)
    journal.commit_decision(
        AccessDecided(
            at=datetime.now(UTC), decision_id="d_late", outcome=Outcome.DENIED, person_id=WHO,
            person_name=NAME, score=95.0, reasons=("person_unknown",),
        )
    )  # fmt: skip
    assert "id" in found_in(box.data_dir)

    look_again(box.data_dir, done, box.clock)

    assert done.left == []
    assert found_in(box.data_dir) == set()
    assert journal.verify() == ()
    journal.close()
    store.close()


def test_an_order_given_by_the_person_is_anonymised_in_the_chain(box):
    from edged.events import DoorOrdered

    journal = box.open_journal()
    journal.commit_decision(
        DoorOrdered(at=datetime.now(UTC), decision_id="o_1", action="open", user="kim", uid=1, by=NAME)
    )
    journal.close()

    done = forget(box.data_dir, WHO, box.clock)

    assert found_in(box.data_dir) == set()
    assert problems(box) == []
    journal = JournalReader.open_readonly(journal_path(box.data_dir))
    assert journal.list(event="door_ordered")[0].payload["by"] == done.pseudonym
    journal.close()


# --- the search itself --------------------------------------------------------------------------------------


def test_the_search_finds_bytes_in_files_and_in_their_names(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.bin").write_bytes(b"x" * 5000 + b"needle" + b"y" * 100)
    (tmp_path / "needle.jpg").write_bytes(b"")

    hits = scan([tmp_path], [Needle("word", b"needle"), Needle("other", b"nowhere")])

    assert [hit.file.name for hit in hits] == ["a.bin", "needle.jpg"]


def test_a_longer_text_of_somebody_else_is_no_finding(tmp_path):
    (tmp_path / "a").write_bytes(b"1mara_lindgren2")
    needles = list(text_needles("id", ["mara_lind"], ["mara_lindgren"]))
    assert scan([tmp_path], needles) == []

    (tmp_path / "b").write_bytes(b"1mara_lindgren2mara_lind3")
    assert [hit.file.name for hit in scan([tmp_path], needles)] == ["b"]


def test_texts_that_stand_everywhere_are_not_searched_for():
    assert list(text_needles("id", ["ida"])) == []


def test_pictures_are_found_by_any_part_but_their_header(tmp_path):
    content = noise(7)
    needles = list(part_needles("picture", content))
    (tmp_path / "half").write_bytes(content[len(content) // 2 :])
    (tmp_path / "header").write_bytes(content[:64])

    assert [hit.file.name for hit in scan([tmp_path], needles)] == ["half"]
