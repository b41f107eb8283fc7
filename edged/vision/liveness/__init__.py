"""Passive liveness from an ordinary colour camera: a network and physical cues, fused over one track.

Weak by nature: docs/liveness.md has the figures. No threads, no configuration, no decision about doors here.
"""
