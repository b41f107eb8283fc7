"""Care for everything the data directory holds: backups, repair, verification, erasure, age.

Other packages import by module: `service` (for the daemon), `backup`, `restore`, `verify`, `backup_places`,
`files`, `erasure.forget`. Nothing is exported here, because `service` is heavy for the commands.
"""
