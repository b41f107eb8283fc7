"""The section `attendance`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from edged.config.base import Section, Text
from edged.schedule import parse_shift


def _shift(text: str) -> str:
    parse_shift(text)
    return text


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError("is not a time of the day such as 04:00")
    return text


class AttendanceConfig(Section):
    """Punches and working time."""

    enabled: bool = Field(False, description="Record a punch for every passage that is let in.")
    direction: Literal["device", "alternate", "schedule", "key"] = Field(
        "alternate",
        description="`device`: always `device_direction`; `alternate`: in, out, in …; `schedule`: nearest "
        "begin or end of a shift; `key`: the key pressed before. Where that says nothing, `alternate`.",
    )
    device_direction: Literal["in", "out"] = Field(
        "in", description="`direction: device`: which way, unless the camera says."
    )
    dedupe_s: float = Field(
        60.0, ge=0, le=3600, description="The same person and direction again is kept, but not counted."
    )
    shifts: list[Annotated[Text, AfterValidator(_shift)]] = Field(
        [], max_length=50, description="`NAME Mon-Fri 08:00-17:00`; a night is `NAME Mon-Fri 22:00-06:00`."
    )
    max_shift_h: float = Field(16.0, gt=0, le=48, description="An out later than this has no in, hours.")
    day_change: Annotated[str, Field(max_length=5), AfterValidator(_time_of_day)] = Field(
        "03:00", description="What begins before this time counts for the day before."
    )
    policy: Literal["pairs", "first_last"] = Field(
        "pairs", description="Working time: sum of all pairs, or from the first in to the last out."
    )
