"""The rules, one a file. Each file ends with its `RULE`; `edged.access.decide` holds their order.

A new rule is one file here, one line in that order and the words of its codes in `edged.reasons`. A rule
asks for nothing: what it needs to know stands in the snapshot, which `edged.access.service` fills.
"""
