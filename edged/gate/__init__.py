"""The gate: door state machine (pure), relay drivers, board simulators, and the thread that owns the port.

Nothing in here decides whether a person may pass.
"""
