"""Operation: what makes the daemon a good service. No door logic.

Modules: `systemd` (states for the service manager), `heartbeat` (hung threads, the watchdog), `lock` (one
daemon per data directory), `logs` and `eventlog` (log lines), `control` (commands to the running daemon).
"""
