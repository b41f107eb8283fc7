"""Delivery: every record to every target that wants it, in order, never lost, never in the way of a door.

Other packages import by module: `service` and `state` (for the daemon), `outbox` (places and dead letters,
for commands and upkeep), `targets` (facts of the box), `source` (the records it reads). Nothing is exported
here, because targets load network libraries.
"""
