"""The gate: door state machine (pure), relay drivers, board simulators, and the thread that owns the port.

Nothing in here decides whether a person may pass.
"""

from __future__ import annotations

from edged.gate.keeper import GateKeeper
from edged.gate.port import check_port_free

__all__ = ["GateKeeper", "check_port_free"]
