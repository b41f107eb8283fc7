"""From the door to the relay: ports, their locks, read-back, contacts, GPIO lines. No protocol of a board."""
