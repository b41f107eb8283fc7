"""Identification: engines, consensus of their answers, and the service that asks them. No access decisions.

Modules for the rest of edged: `service`, `protocol` (interface of engines), `consensus` (rules of an answer),
the engines `local.engine`, `cloud.engine`, `hybrid` and `per_door`, and `local.embedder` (templates of
aligned faces). Importing this package loads no network.
"""
