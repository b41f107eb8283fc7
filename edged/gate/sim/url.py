"""Reads `sim:` URLs. Builds nothing."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from edged.errors import Misconfigured

SCHEME = "sim:"
BOARDS = ("lcus",)


@dataclass(frozen=True)
class SimUrl:
    """A simulated board as asked for.

    Attributes:
        board: which family; `lcus`.
        firmware: `basic` or `feedback`.
        channels: relays on the board, 1..8.
        baud: bits per second in both directions; bytes take as long as on a real line.
        link: where to put the device node; None: in a private temporary directory.
        stuck: this channel's relay never moves; 0: all move.
        silent: it obeys, but never answers.
        garbage: bytes sent in front of every answer.
        delay_s: extra time before every answer.
        self_powered: relays keep their state when the plug is pulled.
        crlf: it obeys only frames that are followed by CR LF.
    """

    board: str = "lcus"
    firmware: str = "basic"
    channels: int = 1
    baud: int = 9600
    link: str | None = None
    stuck: int = 0
    silent: bool = False
    garbage: bytes = b""
    delay_s: float = 0.0
    self_powered: bool = False
    crlf: bool = False


def is_simulated(port: str) -> bool:
    """Whether a configured port names a simulator."""
    return port.startswith(SCHEME)


def parse_url(url: str, defaults: SimUrl | None = None) -> SimUrl:
    """`sim:lcus?option=value&…` as a SimUrl; what the URL leaves out comes from `defaults`.

    Raises:
        Misconfigured: `sim_url`, for an unknown board or option, or a value out of range.
    """
    board, _, query = url.removeprefix(SCHEME).partition("?")
    if board not in BOARDS:
        raise _wrong(url, f"{board!r} is not a simulated board", board, BOARDS)
    parsed = replace(defaults or SimUrl(), board=board)
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise _wrong(url, f"{name!r} is not an option", name, _OPTIONS)
        field, read = _OPTIONS[name]
        try:
            parsed = replace(parsed, **{field: read(text)})
        except ValueError as error:
            raise _wrong(url, f"{name}={text}: {error}") from error
    if parsed.stuck > parsed.channels:
        raise _wrong(url, f"stuck={parsed.stuck}: the board has {parsed.channels} channels")
    return parsed


def _wrong(url: str, what: str, seen: str = "", known: Any = ()) -> Misconfigured:
    close = difflib.get_close_matches(seen, known, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    if known:
        hint += f"Known: {', '.join(known)}."
    return Misconfigured(f"gate.port {url}: {what}.", code="sim_url", hint=hint.strip())


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
            raise ValueError(f"must be a number from {low} to {high}")
        return int(text)

    return read


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return text

    return read


def _flag(text: str) -> bool:
    return _one_of("0", "1")(text) == "1"


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError("must be bytes in hexadecimal, e.g. 55AA") from None


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("must be an absolute path")
    return text


def _milliseconds(text: str) -> float:
    return _number(0, 60_000)(text) / 1000


_OPTIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "firmware": ("firmware", _one_of("basic", "feedback")),
    "channels": ("channels", _number(1, 8)),
    "baud": ("baud", _number(300, 4_000_000)),
    "link": ("link", _path),
    "stuck": ("stuck", _number(0, 8)),
    "silent": ("silent", _flag),
    "garbage": ("garbage", _hex),
    "delay_ms": ("delay_s", _milliseconds),
    "self_powered": ("self_powered", _flag),
    "crlf": ("crlf", _flag),
}
