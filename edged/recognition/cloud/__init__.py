"""The face cloud: its calls, their errors, its limits, and the engine that asks it."""
