"""Keeps the people of the library in the face cloud: alignment, a durable queue, the worker, differences."""
