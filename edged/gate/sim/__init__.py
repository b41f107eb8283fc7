"""Relay boards that need no hardware: a pseudo-terminal that speaks a board's bytes at its speed.

Chosen by a URL in place of the port, `sim:lcus?firmware=feedback`. The driver does not know the difference.
"""

from __future__ import annotations

from edged.gate.sim.sim_board import SimBoard
from edged.gate.sim.url import SimUrl, is_simulated, parse_url, simulated_board

__all__ = ["SimBoard", "SimUrl", "is_simulated", "parse_url", "simulated_board"]
