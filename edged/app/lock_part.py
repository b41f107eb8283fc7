"""Lock: what only one edged at a time may have, the data directory and the ports of the doors."""

from __future__ import annotations

from edged.app.part import PartHealth, PartState
from edged.app.site_part import SitePart
from edged.gate.board.port import check_port_free
from edged.ops.lock import lock_data_dir


class LockPart(SitePart):
    """Refuses to start beside another edged, before anything is opened."""

    name = "lock"

    def start(self) -> None:
        """Lock the data directory, check the ports. Raises NeedsOperator when another edged has one."""
        config, clock = self._site.config, self._site.clock
        self._stack.enter_context(lock_data_dir(config.data_dir, clock=clock))
        for gate in config.gates:
            check_port_free(gate)

    def health(self) -> PartHealth:
        """`data_dir`."""
        data_dir = self._site.config.data_dir
        return self._is(PartState.OK, f"This process alone uses {data_dir}.", data_dir=str(data_dir))
