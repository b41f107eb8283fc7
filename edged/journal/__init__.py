"""The memory of the box: every decision and what came of it, written before anything moves."""

from edged.journal.explanation import Explanation
from edged.journal.reader import JournalReader, journal_path
from edged.journal.text import render, sentence
from edged.journal.why import explain
from edged.journal.writer import Journal
from edged.record import Record

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
