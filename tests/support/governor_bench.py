"""A governor with a clock of its own, and what it published."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edged.clock import ManualClock
from edged.errors import EdgedError, RetryLater
from edged.events import CloudDegraded
from edged.faceapi.calls import Call
from edged.faceapi.faults import error_for
from edged.faceapi.governor.allowance import AllowanceStore
from edged.faceapi.governor.rate_governor import Governor, GovernorLimits

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # 12:00 in UTC+8
UNREACHABLE = RetryLater("The cloud cannot be reached.", code="cloud_unreachable")


class Bench:
    """A governor with its clock and the events it published. Intervals are half a second."""

    def __init__(self, tmp_path, **limits):
        self.clock = ManualClock(now=NOON)
        self.events = []
        self.store = AllowanceStore.open(tmp_path, self.clock, service="test", boot="boot")
        limits = GovernorLimits(**{"qps": 2, "management_qps": 2, "slack_s": 0.0} | limits)
        self.governor = Governor(
            limits, self.store, self.clock, publish=self.events.append, random=lambda: 0.0
        )

    def admit(self, call=Call.SEARCH, within_s=0.0):
        """Ask for a turn that comes within that time."""
        self.governor.admit(call, self.clock.monotonic() + within_s)

    def refusal(self, call=Call.SEARCH):
        """Ask for a turn that must be refused; the error."""
        with pytest.raises(EdgedError) as refused:
            self.admit(call)
        return refused.value

    def answer(self, code=0, call=Call.SEARCH):
        """Let a second pass, send a call, and have the service answer it with `code`."""
        self.clock.advance(1.0)
        self.admit(call)
        if code == 0:
            self.governor.succeeded(call)
            return None
        return self.governor.failed(call, error_for(code, "", call=call))

    def fail(self, error=UNREACHABLE):
        """The same, and no answer comes."""
        self.clock.advance(1.0)
        self.admit()
        self.governor.failed(Call.SEARCH, error)

    def said(self):
        """The events so far, short."""
        return [
            (event.call, event.code, event.needs_operator)
            if isinstance(event, CloudDegraded)
            else (event.call, "recovered")
            for event in self.events
        ]
