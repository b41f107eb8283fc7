"""Control: the socket through which commands ask the running daemon.

It starts last: what answers runs by then.
"""

from __future__ import annotations

from edged.app.part import PartHealth, PartState
from edged.app.site_part import SitePart
from edged.ops.control import FILE_NAME, ControlServer

STOP_S = 1.0


class ControlPart(SitePart):
    """Answers with the commands the parts above bring."""

    name = "control"

    def start(self) -> None:
        """Raises NeedsOperator (`control_unusable`) when the socket cannot be made."""
        control = ControlServer(self._site.config.data_dir, self._site.commands)
        control.start()
        self._stack.callback(control.stop, STOP_S)

    def health(self) -> PartHealth:
        """`socket`, `commands` (names)."""
        path, names = self._site.config.data_dir / FILE_NAME, sorted(self._site.commands)
        summary = f"The control socket answers {len(names)} commands."
        return self._is(PartState.OK, summary, socket=str(path), commands=names)
