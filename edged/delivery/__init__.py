"""Delivery: every record to every target that wants it, in order, never lost, never in the way of a door."""
