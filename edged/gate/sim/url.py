"""Reads `sim:` URLs. Builds nothing."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from edged.errors import Misconfigured
from edged.gate.drivers.registry import DRIVERS, families, family

if TYPE_CHECKING:
    from edged.config import GateConfig

SCHEME = "sim:"
MOST_CHANNELS = 64


@dataclass(frozen=True)
class BoardKind:
    """A family of simulated boards; stands in the family's simulator module as `KIND`.

    Attributes:
        firmwares: its variants, the usual one first; empty: there is one only.
        channels, inputs: their numbers, where the URL does not set them.
    """

    firmwares: tuple[str, ...] = ()
    channels: int = 8
    inputs: int = 0


@dataclass(frozen=True)
class SimUrl:
    """A simulated board as its URL describes it.

    Attributes:
        board: which family; one of `simulators()`.
        firmware: which variant of it; one of its `BoardKind.firmwares`.
        address: its address on the line, where the protocol has one, 0..255.
        channels: relays on the board, 1..64.
        inputs: its contacts, first input first.
        baud: bits per second in both directions; bytes take their time as on a real line.
        link: path of the device node; None: in a private temporary directory.
        stuck: channel whose relay never moves; 0: all move.
        silent: the board obeys, but never answers.
        garbage: bytes sent in front of every answer.
        delay_s: extra time before every answer.
        split_s: pause in the middle of every answer.
        cut: bytes missing at the end of every answer.
        bad_sum: every answer has a wrong check sum.
        echo: every byte comes back first, as from some RS485 adapters.
        deaf: no byte reaches the firmware, as when it hangs.
        unplug_s: time from the start to an unplug; None: the plug stays in.
        replug_s: time from there until the plug is back; None: never.
        self_powered: relays keep their state when the plug is pulled.
        crlf: the board obeys only frames that end with CR LF.
    """

    board: str = "lcus"
    firmware: str = "basic"
    address: int = 1
    channels: int = 1
    inputs: tuple[bool, ...] = ()
    baud: int = 9600
    link: str | None = None
    stuck: int = 0
    silent: bool = False
    garbage: bytes = b""
    delay_s: float = 0.0
    split_s: float = 0.0
    cut: int = 0
    bad_sum: bool = False
    echo: bool = False
    deaf: bool = False
    unplug_s: float | None = None
    replug_s: float | None = None
    self_powered: bool = False
    crlf: bool = False


def simulators() -> dict[str, str]:
    """Every simulated board by its name in URLs, which is the protocol's, with its module.

    The module has `KIND: BoardKind` and `make(url: SimUrl, board: Electronics) -> Firmware`.
    """
    return {name: found.simulator for name, found in families().items() if found.simulator}


def is_simulated(port: str) -> bool:
    """Whether a configured port names a simulator."""
    return port.startswith(SCHEME)


def parse_url(url: str, defaults: Mapping[str, Any] | None = None) -> SimUrl:
    """`sim:board?option=value&…` as a SimUrl.

    Args:
        defaults: fields of SimUrl for options that the URL leaves out; without one, the board's usual value.

    Raises:
        Misconfigured: `sim_url`, for an unknown board or option, or a value out of range.
    """
    board, _, query = url.removeprefix(SCHEME).partition("?")
    kind = _kind(board)
    if kind is None:
        raise _wrong(url, f"{board!r} is not a simulated board", board, simulators())
    usual = {
        "firmware": kind.firmwares[0] if kind.firmwares else "",
        "channels": kind.channels,
        "inputs": (False,) * kind.inputs,
    }
    parsed = SimUrl(board=board, **{**usual, **(defaults or {})})
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise _wrong(url, f"{name!r} is not an option", name, _OPTIONS)
        field, read = _OPTIONS[name]
        try:
            parsed = replace(parsed, **{field: read(text)})
        except ValueError as error:
            raise _wrong(url, f"{name}={text}: {error}") from error
    if kind.firmwares and parsed.firmware not in kind.firmwares:
        raise _wrong(url, f"firmware={parsed.firmware}: must be {' or '.join(kind.firmwares)}")
    if parsed.replug_s is not None and parsed.unplug_s is None:
        raise _wrong(url, "replug_ms without unplug_ms: the plug is in")
    if parsed.stuck > parsed.channels:
        raise _wrong(url, f"stuck={parsed.stuck}: the board has {parsed.channels} channels")
    return parsed


def simulated_board(config: GateConfig) -> SimUrl | None:
    """The board to simulate for this gate; options missing in its URL follow the section. None: a real one.

    Raises:
        Misconfigured: `sim_url`.
    """
    if config.family.switched_by == "nothing" or not is_simulated(config.port):
        return None
    kind = _kind(config.port.removeprefix(SCHEME).partition("?")[0])
    defaults: dict[str, Any] = {"baud": config.baud, "address": config.address}
    if "channels" in config.family.settings:
        defaults["channels"] = config.channels
    for firmware in (config.firmware, config.profile):
        if kind and firmware in kind.firmwares:
            defaults["firmware"] = firmware
    return parse_url(config.port, defaults)


def _kind(name: str) -> BoardKind | None:
    """The simulated board called `name`; imports no other. None: there is none."""
    module = family(name).simulator if name in DRIVERS else None
    return None if module is None else import_module(module).KIND


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


def _bits(text: str) -> tuple[bool, ...]:
    if not text or set(text) - {"0", "1"} or len(text) > MOST_CHANNELS:
        raise ValueError(f"must be up to {MOST_CHANNELS} digits 0 or 1, the first one is input 1")
    return tuple(digit == "1" for digit in text)


def _milliseconds(text: str) -> float:
    return _number(0, 60_000)(text) / 1000


_OPTIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "firmware": ("firmware", str),
    "address": ("address", _number(0, 255)),
    "channels": ("channels", _number(1, MOST_CHANNELS)),
    "inputs": ("inputs", _bits),
    "baud": ("baud", _number(300, 4_000_000)),
    "link": ("link", _path),
    "stuck": ("stuck", _number(0, MOST_CHANNELS)),
    "silent": ("silent", _flag),
    "garbage": ("garbage", _hex),
    "delay_ms": ("delay_s", _milliseconds),
    "split_ms": ("split_s", _milliseconds),
    "cut": ("cut", _number(0, 255)),
    "bad_sum": ("bad_sum", _flag),
    "echo": ("echo", _flag),
    "deaf": ("deaf", _flag),
    "unplug_ms": ("unplug_s", _milliseconds),
    "replug_ms": ("replug_s", _milliseconds),
    "self_powered": ("self_powered", _flag),
    "crlf": ("crlf", _flag),
}
