"""Care for everything the data directory holds: backups, repair, verification, erasure, age."""
