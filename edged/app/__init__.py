"""The composition: which parts the daemon has, how they are connected, in which order they start and stop.

Modules: `daemon` (one site from start to stop), `parts` (the table), `part` (what a part is), `site` (what
parts share), `assembly` (starts and stops them), one module a part; `preflight` and `enrolment` for commands.
"""
