"""Requests that ended without evidence about the service: they neither open nor close the circuit.

A time-out is the service's fault only if it had a fair time. At the door the deadline is the age at which a
picture is of no more use, and a shot may have used up nearly all of it before it is sent: waiting for its
turn, for the shots of others, for a busy machine. If every missed
deadline counted, an overloaded box would declare a healthy service dead. If none counted, every person would
wait anew for a service that never answers, because with the usual settings the deadline comes before
`read_timeout_s`.
"""

from __future__ import annotations

from typing import Final

from edged.errors import RetryLater

FAIR_S: Final = 0.5
"""A service that had this long, connecting included, and has not finished its answer is too slow: a search
takes a fraction of it. Where deadlines are shorter the circuit never opens, but then nobody waits longer."""


class Inconclusive(RetryLater):
    """The request failed, for a reason that says nothing about the service."""


class Hurried(Inconclusive):
    """The deadline of the request came before the service had a fair time."""


class ConnectionLost(Inconclusive):
    """The other side closed a kept connection before it saw the request; a new one may do."""
