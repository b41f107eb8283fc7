"""One SQLite file: opened, checked, migrated and written safely. Its owner decides on the content.

Other packages use `Database`, and by module: `device` (identity of the box), `errors` (system errors as
`EdgedError`), `file.readonly_uri` and `migrate.migrations` (for backups).
"""

from edged.database.file import Database

__all__ = ["Database"]
