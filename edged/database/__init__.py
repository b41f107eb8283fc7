"""One SQLite file: opened, checked, migrated and written safely. Its owner decides on the content.

Other packages use `Database`, and by module: `device` (identity of the box) and `errors` (system errors as
`EdgedError`).
"""

from edged.database.file import Database

__all__ = ["Database"]
