"""Control: the socket through which commands ask the running daemon.

It starts last: what answers runs by then.
"""

from __future__ import annotations

from edged.app.part import PartHealth, PartState
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.ops.control import FILE_NAME, ControlServer

STOP_S = 1.0


class ControlPart(SitePart):
    """Answers with the commands the parts above bring."""

    name = "control"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._server: ControlServer | None = None

    def start(self) -> None:
        """Raises NeedsOperator (`control_unusable`) when the socket cannot be made."""
        self._server = ControlServer(self._site.config.data_dir, self._site.commands)
        self._server.start()
        self._stack.callback(self._server.stop, STOP_S)

    def health(self) -> PartHealth:
        """`socket`, `commands` (names). The state is failed while no command can reach the daemon."""
        path, names = self._site.config.data_dir / FILE_NAME, sorted(self._site.commands)
        state, summary = PartState.OK, f"The control socket answers {len(names)} commands."
        if problem := self._server.problem if self._server else "":
            state, summary = PartState.FAILED, f"No command reaches this edged. {problem}"
        return self._is(state, summary, socket=str(path), commands=names)
