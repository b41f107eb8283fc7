"""The composition: which parts the daemon has, how they are connected, in which order they start and stop."""
