"""Enrolled templates in memory with exact search, and the scale of scores. No disk, no engine.

Modules for the rest of edged: `match` (a hit), `score` (0..100), `sizes` (figures, without numpy),
`templates` (the gallery, with numpy).
"""
