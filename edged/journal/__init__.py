"""The memory of the box: every decision, on the disk before anything moves, and its outcome.

Other packages use the names exported here, and by module: `chain` (pseudonyms), `clockwatch` (quality of the
wall clock), `numbers` (a journal put back from a backup), `redaction` (erasing a person), `retention` and
`room` (age and size), `snapshots` (pictures).
"""

from edged.journal.explanation import Explanation
from edged.journal.reader import UNDECIDED, JournalReader, journal_path
from edged.journal.text import render, sentence
from edged.journal.why import explain
from edged.journal.writer import Journal
from edged.record import Record

__all__ = [
    "UNDECIDED",
    "Explanation",
    "Journal",
    "JournalReader",
    "Record",
    "explain",
    "journal_path",
    "render",
    "sentence",
]
