"""Lock: what only one edged at a time may have, the data directory and the ports of the doors."""

from __future__ import annotations

from edged.app.part import PartHealth, PartState
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.gate.board.port import check_port_free
from edged.ops.lock import FILE_NAME, DataDirLock, lock_data_dir


class LockPart(SitePart):
    """Refuses to start beside another edged, before anything is opened."""

    name = "lock"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._lock: DataDirLock | None = None

    def start(self) -> None:
        """Lock the data directory, check the ports. Raises NeedsOperator when another edged has one."""
        config, clock = self._site.config, self._site.clock
        self._lock = self._stack.enter_context(lock_data_dir(config.data_dir, clock=clock))
        for gate in config.gates:
            check_port_free(gate)

    def health(self) -> PartHealth:
        """`data_dir`. The state is failed when somebody removed or replaced the locked file."""
        data_dir = self._site.config.data_dir
        state, summary = PartState.OK, f"This process alone uses {data_dir}."
        if self._lock is None or not self._lock.keeps_others_out:
            state = PartState.FAILED
            summary = f"{data_dir / FILE_NAME} is gone, so a second edged could start: restart this one."
        return self._is(state, summary, data_dir=str(data_dir))
