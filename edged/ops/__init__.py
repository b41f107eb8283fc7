"""Being a good service: notifying systemd, heartbeats, one daemon per data directory, logs. No door logic."""
