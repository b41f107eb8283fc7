"""One SQLite file: opened, checked, migrated and written safely. What is in it is its owner's business."""

from edged.database.file import Database

__all__ = ["Database"]
