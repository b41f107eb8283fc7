"""Erases a person everywhere, proves it, and finishes an erasure that a power cut has interrupted.

`forget` is the way in; `marker`, `traces`, `mentions` and `scan` are its steps.
"""
