"""The gate: the door as a pure machine, relay boards and their simulators, and the thread that owns the port.

Nothing in here decides whether a person may pass.
"""
