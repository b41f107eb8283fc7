"""Trying a board while the daemon is stopped: ports of the machine, one exclusive session, the checklist."""
