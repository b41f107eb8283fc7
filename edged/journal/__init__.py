"""The memory of the box: every decision and what came of it, written before anything moves."""

from edged.journal.explanation import Explanation
from edged.journal.journal import Journal
from edged.journal.reader import JournalReader, journal_path
from edged.journal.record import Record
from edged.journal.text import render, sentence
from edged.journal.why import explain

__all__ = [
    "Explanation",
    "Journal",
    "JournalReader",
    "Record",
    "explain",
    "journal_path",
    "render",
    "sentence",
]
