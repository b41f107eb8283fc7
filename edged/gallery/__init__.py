"""Enrolled templates in memory, searched exactly, and the scale of scores. No disk, no engine."""
