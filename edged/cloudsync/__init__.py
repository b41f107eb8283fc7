"""Keeps the people of the library in the face cloud. Importing this package loads nothing.

Modules for the rest of edged: `sync` (the worker), `queue` (its durable queue), `diff` (comparison and
repair).
"""
