"""Contacts on the GPIO lines of the machine itself, through libgpiod 2. No debouncing, no meanings.

The package `gpiod` is an optional extra and is imported only when lines are opened. Contacts go between line
and ground; with the pull-up a closed one reads low, which is reported as True here, as it is elsewhere.
"""

from __future__ import annotations

import errno
import importlib
from collections.abc import Sequence
from typing import Any, Protocol

from edged.errors import EdgedError, NeedsOperator, RetryLater

CONSUMER = "edged"
"""Name under which `gpioinfo` shows the lines as taken."""


class LineRequest(Protocol):
    """The part of `gpiod.LineRequest` that is used here."""

    def get_values(self, lines: Any) -> Sequence[Any]:
        """The values of the lines, in the order given."""
        ...

    def release(self) -> None:
        """Give the lines back."""
        ...


class GpioInputs:
    """Lines that have been taken for reading.

    Args:
        request: the open request.
        active: the value that means a closed contact, `gpiod.line.Value.ACTIVE`.
        chip: for messages.
        lines: offsets or names, first input first.
    """

    def __init__(self, request: LineRequest, active: object, chip: str, lines: Sequence[int | str]) -> None:
        self._request = request
        self._active = active
        self._chip = chip
        self._lines = list(lines)

    def read(self) -> tuple[bool, ...]:
        """The contacts, True: closed.

        Raises:
            RetryLater: `gpio_lost`: the chip is gone, as when an expander on USB is unplugged.
        """
        try:
            return tuple(value == self._active for value in self._request.get_values(self._lines))
        except OSError as error:
            raise RetryLater(
                f"The GPIO lines of {self._chip} cannot be read any more: {error}.",
                code="gpio_lost",
                hint="Check the plug if the chip is an expander; otherwise restart the machine.",
            ) from error

    def close(self) -> None:
        """Give the lines back."""
        self._request.release()


def open_inputs(chip: str, lines: Sequence[int | str]) -> GpioInputs:
    """Take lines for reading.

    Args:
        chip: `/dev/gpiochip0` and the like.
        lines: offsets on the chip or names, first input first.

    Raises:
        NeedsOperator: `gpio_package_missing`, `gpio_denied`, `gpio_busy`, `gpio_line_missing`.
        RetryLater: `gpio_chip_missing`.
    """
    gpiod = _package()
    line = gpiod.line
    settings = gpiod.LineSettings(
        direction=line.Direction.INPUT,
        bias=line.Bias.PULL_UP,
        active_low=True,
    )
    try:
        request = gpiod.request_lines(chip, consumer=CONSUMER, config={tuple(lines): settings})
    except (OSError, ValueError) as error:
        raise _open_error(chip, lines, error) from error
    return GpioInputs(request, line.Value.ACTIVE, chip, lines)


def _package() -> Any:
    try:
        gpiod = importlib.import_module("gpiod")
    except ImportError as error:
        raise _no_package("The Python package gpiod is not installed.") from error
    if not hasattr(gpiod, "request_lines"):
        raise _no_package("The Python package gpiod that is installed is too old: version 2 is needed.")
    importlib.import_module("gpiod.line")
    return gpiod


def _no_package(what: str) -> NeedsOperator:
    return NeedsOperator(
        f"{what} Contacts on GPIO lines cannot be read without it.",
        code="gpio_package_missing",
        hint="Install it into edged's environment: pip install 'edged[gpio]'.",
    )


def _open_error(chip: str, lines: Sequence[int | str], error: Exception) -> EdgedError:
    number = getattr(error, "errno", None)
    named = ", ".join(str(each) for each in lines)
    if number in (errno.EACCES, errno.EPERM):
        return NeedsOperator(
            f"The GPIO chip {chip} may not be opened by this user.",
            code="gpio_denied",
            hint="Add the user that runs edged to the group that owns the device, usually gpio.",
        )
    if number == errno.EBUSY:
        return NeedsOperator(
            f"A GPIO line of {chip} ({named}) is used by another program or by the kernel.",
            code="gpio_busy",
            hint="`gpioinfo` shows who has it.",
        )
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.ENOTTY):
        return RetryLater(
            f"{chip} is not there or is no GPIO chip.",
            code="gpio_chip_missing",
            hint="`gpiodetect` lists the chips of this machine.",
        )
    return NeedsOperator(
        f"The GPIO lines {named} of {chip} cannot be taken: {error}.",
        code="gpio_line_missing",
        hint="`gpioinfo` lists the lines of every chip.",
    )
