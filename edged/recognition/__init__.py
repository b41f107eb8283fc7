"""Identification: engines, consensus of their answers, and the service that asks them. No access decisions.

Modules for the rest of edged: `service`, `protocol` (interface of engines), `consensus` (rules of an answer),
the engines in `local`, `cloud`, `hybrid` and `per_door`. Importing this package loads no network.
"""
