"""Time budget of one request, and a socket that keeps to it. No HTTP here.

A time-out of a socket counts anew with every byte, so a server that drips one byte a second would hold a
worker for ever. Here connecting has one budget, and the time from the first byte sent to the last byte
received has another; the deadline of the request cuts both short.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from edged.clock import Clock
from edged.errors import RetryLater
from edged.faceapi.inconclusive import FAIR_S, Hurried
from edged.http_session import SocketOption, acknowledge_at_once

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
"""Family, and the address as `socket.connect` takes it; its shape depends on the family."""


def timed_out(while_doing: str, kind: type[RetryLater] = RetryLater) -> RetryLater:
    """The error for a budget that is used up. `kind`: `Hurried` if that is no evidence about the service."""
    return kind(
        f"The face cloud was too slow: time ran out while {while_doing}.",
        code="cloud_timeout",
        hint="Check the network; connect_timeout_s and read_timeout_s say how long to wait.",
    )


@dataclass
class Budget:
    """Time budget of one request. Used by the one thread that makes it.

    Attributes:
        connect_s: for finding the address and connecting together; again for the TLS greeting.
        answer_s: from the first byte sent to the last one received.
        deadline_s: monotonic; nothing may last longer. None: no deadline.
        reused: the request went over a connection that had served before.
        received: bytes of the answer so far.
    """

    clock: Clock
    connect_s: float
    answer_s: float
    deadline_s: float | None
    reused: bool = False
    received: int = 0
    _answer_until_s: float | None = None
    _began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._began_s = self.clock.monotonic()

    def begin_answer(self) -> None:
        """Note that the request is sent now."""
        self._answer_until_s = self.clock.monotonic() + self.answer_s

    def connecting_s(self) -> float:
        """Seconds for connecting, above 0."""
        return self._positive(self.connect_s, "connecting")

    def answer_left_s(self) -> float:
        """Seconds left for the answer, above 0."""
        until_s = self._answer_until_s
        left_s = self.answer_s if until_s is None else until_s - self.clock.monotonic()
        return self._positive(left_s, "waiting for the answer")

    def check(self) -> None:
        """Raise when the deadline has passed."""
        self._positive(self.answer_s, "waiting to be sent")

    def over(self, doing: str) -> RetryLater:
        """The error for a wait that has used up its time."""
        return self.judged(timed_out(doing))

    def judged(self, error: RetryLater) -> RetryLater:
        """`error`, or a `Hurried` if the deadline left the service too little time."""
        now_s = self.clock.monotonic()
        at_deadline = self.deadline_s is not None and now_s >= self.deadline_s
        if at_deadline and now_s - self._began_s < FAIR_S:
            return Hurried(error.message, code=error.code, hint=error.hint)
        return error

    def _positive(self, left_s: float, doing: str) -> float:
        if self.deadline_s is not None:
            left_s = min(left_s, self.deadline_s - self.clock.monotonic())
        if left_s <= 0:
            raise self.over(doing)
        return left_s


class CurrentBudget(threading.local):
    """The budget of the request that the calling thread is making."""

    value: Budget | None = None

    def get(self) -> Budget:
        """That budget; there must be one."""
        if self.value is None:
            raise RuntimeError("a connection was used outside of a request")
        return self.value


@dataclass
class _Lookup:
    done: threading.Event = field(default_factory=threading.Event)
    addresses: list[Address] = field(default_factory=list)
    error: OSError | UnicodeError | None = None


class Resolver:
    """Resolves names within a time limit; the system's own call has none.

    A lookup that takes too long goes on in its own thread. Later callers with the same name wait for the
    same lookup, so there is never more than one thread for a name.
    """

    def __init__(self, look_up: Callable[[str, int], list[Address]] | None = None) -> None:
        """`look_up`: asks for the addresses of a name and port; None: the system's own."""
        self._look_up = look_up or _look_up
        self._lock = threading.Lock()
        self._running: dict[tuple[str, int], _Lookup] = {}

    def addresses(self, host: str, port: int, wait_s: float) -> list[Address]:
        """Addresses of `host`, at least one.

        Raises:
            RetryLater: `cloud_dns`.
        """
        if _is_number(host):
            return _look_up(host, port)
        lookup = self._start(host, port)
        if not lookup.done.wait(wait_s):
            raise _no_address(host, "the name server does not answer")
        if lookup.error is not None or not lookup.addresses:
            raise _no_address(host, getattr(lookup.error, "strerror", None) or "it is not a usable name")
        return lookup.addresses

    def _start(self, host: str, port: int) -> _Lookup:
        with self._lock:
            lookup = self._running.get((host, port))
            if lookup is None:
                lookup = self._running[host, port] = _Lookup()
                threading.Thread(
                    target=self._run, args=(host, port, lookup), name="cloud-dns", daemon=True
                ).start()
            return lookup

    def _run(self, host: str, port: int, lookup: _Lookup) -> None:
        try:
            lookup.addresses = self._look_up(host, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: a part of the name is empty or too long
            lookup.error = error
        finally:
            with self._lock:
                del self._running[host, port]
            lookup.done.set()


def connect(
    host: str, port: int, budget: Budget, resolver: Resolver, options: Sequence[SocketOption]
) -> socket.socket:
    """A connected socket whose time-out is what is left for a TLS greeting.

    Several addresses share the time, so that a dead one does not use up the time of the next.

    Raises:
        RetryLater: `cloud_dns`, `cloud_timeout`, `cloud_unreachable`.
    """
    until_s = budget.clock.monotonic() + budget.connecting_s()
    try:
        addresses = resolver.addresses(host, port, budget.connecting_s())
    except RetryLater as error:
        raise budget.judged(error) from None
    problem: OSError = OSError("no address")
    for tried, (family, address) in enumerate(addresses):
        left_s = until_s - budget.clock.monotonic()
        if left_s <= 0:
            raise budget.over(f"connecting to {host}")
        try:
            sock = _connect_one(family, address, left_s / (len(addresses) - tried), options)
        except OSError as error:
            problem = error
        else:
            sock.settimeout(budget.connecting_s())
            return sock
    if isinstance(problem, TimeoutError):
        raise budget.over(f"connecting to {host}")
    raise RetryLater(
        f"The face cloud at {host} port {port} cannot be reached: {problem.strerror or problem}.",
        code="cloud_unreachable",
        hint="Check the network, the address in recognition.cloud.url, and that the server runs.",
    )


def _connect_one(
    family: int, address: tuple[Any, ...], timeout_s: float, options: Sequence[SocketOption]
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.settimeout(timeout_s)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


class BudgetSocket:
    """The part of a connected socket that `http.client` uses; every wait counts against the budget."""

    def __init__(self, sock: socket.socket, current: CurrentBudget) -> None:
        self._sock = sock
        self._current = current

    def fileno(self) -> int:
        """File descriptor, to poll whether the other side has closed."""
        return self._sock.fileno()

    def settimeout(self, timeout_s: float | None) -> None:
        """Does nothing: the budget decides."""

    def sendall(self, data: bytes) -> None:
        """Send everything within the budget."""
        view = memoryview(data).cast("B")
        while len(view):
            self._sock.settimeout(self._current.get().answer_left_s())
            try:
                view = view[self._sock.send(view[:65536]) :]
            except TimeoutError:
                raise self._current.get().over("sending the request") from None

    def makefile(self, mode: Literal["rb"]) -> io.BufferedReader:
        """A stream of received bytes; `http.client` makes one for every answer."""
        acknowledge_at_once(self._sock)
        return io.BufferedReader(
            _BudgetReader(self._sock, self._sock.makefile(mode, buffering=0), self._current)
        )

    def shutdown(self, how: int) -> None:
        """End the connection in one or both directions."""
        self._sock.shutdown(how)

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


class _BudgetReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, raw: io.RawIOBase, current: CurrentBudget) -> None:
        self._sock = sock
        self._raw = raw
        self._current = current

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        budget = self._current.get()
        self._sock.settimeout(budget.answer_left_s())
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            raise budget.over("waiting for the answer") from None
        budget.received += count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _look_up(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


def _no_address(host: str, why: str) -> RetryLater:
    return RetryLater(
        f"The address of {host} cannot be found: {why}.",
        code="cloud_dns",
        hint="Check the box's name servers and the spelling of recognition.cloud.url.",
    )
