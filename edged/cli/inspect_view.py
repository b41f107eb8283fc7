"""How `edged inspect` shows faces: a table a face, a line a face, JSON, and the counts at the end."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from edged.cli.inspect_input import InputPicture
from edged.cli.inspect_liveness import FaceLiveness
from edged.config import QualityLimits
from edged.events import Measures
from edged.reasons import describe
from edged.vision.faces import FaceReading

_BRIEF = {
    "face_px": "size",
    "yaw_deg": "yaw",
    "pitch_deg": "pitch",
    "roll_deg": "roll",
    "blur": "blur",
    "illumination": "light",
}
"""Measures in the line of a face, with their names there."""
_UNITS = {"px": " px", "deg": "°"}


def as_json(
    picture: InputPicture, readings: Sequence[FaceReading], lives: Sequence[FaceLiveness | None]
) -> dict[str, Any]:
    """One picture as a JSON object; `frame` and `time_s` only for frames of a video.

    Args:
        lives: the liveness of each face; None when nobody looked at it.
    """
    out: dict[str, Any] = {"file": str(picture.path)}
    if picture.frame is not None:
        out |= {"frame": picture.frame, "time_s": picture.time_s}
    return out | {"faces": [_face(*face) for face in zip(readings, lives, strict=True)]}


def _face(reading: FaceReading, live: FaceLiveness | None) -> dict[str, Any]:
    return {
        "box": [round(v, 1) for v in reading.detection.box],
        "measures": _plain(dataclasses.asdict(reading.measures)),
        "verdict": verdict(reading),
        "reasons": list(reading.missed),
        "limits": _plain(reading.missed),
        "liveness": None if live is None else _plain(dataclasses.asdict(live)),
    }


def verdict(reading: FaceReading) -> str:
    """`accepted` or `refused`."""
    return "refused" if reading.missed else "accepted"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def face_table(number: int, reading: FaceReading, limits: QualityLimits, live: FaceLiveness | None) -> Table:
    """Every measure of one face beside its limits; the verdict is that of the limits, without liveness."""
    table = Table(
        title=Text.assemble(f"face {number}: ", (verdict(reading), _style(reading))),
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in ("measure", "value", "limit", ""):
        table.add_column(name, justify="right" if name == "value" else "left")
    for name, value in measured(reading.measures):
        low, high = limits_of(name, limits)
        mark = _mark(reading, value, low, high)
        style = "red" if mark == "refused" else ""
        table.add_row(name, shown(name, value), _limit_text(name, low, high), mark, style=style)
    if live is not None:
        table.add_row("liveness", shown("liveness", live.score), f"from {live.threshold:g}", live.word)
    return table


def _style(reading: FaceReading) -> str:
    return "red" if reading.missed else "green"


def reason_lines(reading: FaceReading, live: FaceLiveness | None) -> list[str]:
    """One line a reason, and a sign of a picture: code, meaning, what to do."""
    codes = (*reading.missed, *(() if live is None else live.suspicion))
    return [f"  {code}: {describe(code)}" for code in codes]


def brief_line(picture: InputPicture, number: int, reading: FaceReading, live: FaceLiveness | None) -> Text:
    """One face in one line."""
    values = dict(measured(reading.measures))
    parts = [f"{word} {shown(name, values[name])}" for name, word in _BRIEF.items()]
    if live is not None:
        because = "".join(f", {code}" for code in live.suspicion)
        parts.append(f"liveness {live.score:.2f} ({live.word}{because})")
    words = ", ".join(reading.missed) or "accepted"
    return Text.assemble(
        f"{picture.name}: face {number}: ", (words, _style(reading)), f"; {', '.join(parts)}"
    )


def measured(measures: Measures) -> Iterator[tuple[str, Any]]:
    """Every measure by name; those with parts as `name.part`."""
    for field in dataclasses.fields(measures):
        value = getattr(measures, field.name)
        if isinstance(value, Mapping):
            yield from ((f"{field.name}.{part}", inner) for part, inner in value.items())
        else:
            yield field.name, value


def limits_of(name: str, limits: QualityLimits) -> tuple[float | None, float | None]:
    """(lowest, highest) permitted value of a measure, by the names of the settings: `min_blur`, `max_blur`.

    A part takes its limit by its first word, the same left and right: `occlusion.left_eye` has
    `max_eye_occlusion`. A highest value of 1, or of 90 degrees, never refuses and is left out.
    """
    whole, _, part = name.partition(".")
    if part:
        name = f"{part.removeprefix('left_').removeprefix('right_').partition('_')[0]}_{whole}"
    low, high = getattr(limits, f"min_{name}", None), getattr(limits, f"max_{name}", None)
    return low, None if high == (90 if name.endswith("_deg") else 1) else high


def _misses(value: Any, low: float | None, high: float | None) -> bool:
    if value is None:
        return False
    return (low is not None and value < low) or (high is not None and abs(value) >= high)


def _mark(reading: FaceReading, value: Any, low: float | None, high: float | None) -> str:
    if value is None or (low is None and high is None):
        return ""
    return "refused" if reading.missed and _misses(value, low, high) else "ok"


def shown(name: str, value: Any) -> str:
    """A value with its unit; `?` when it could not be measured."""
    if value is None:
        return "?"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    unit = _UNITS.get(name.rpartition("_")[2], "")
    digits = 0 if unit or name == "illumination" else 2
    rounded = round(value, digits) + 0.0  # no minus sign before a zero
    return f"{rounded:{'+' if unit == '°' else ''}.{digits}f}{unit}"


def _limit_text(name: str, low: float | None, high: float | None) -> str:
    unit = _UNITS.get(name.rpartition("_")[2], "")
    parts = [f"from {low:g}{unit}"] if low is not None else []
    if high is not None:
        parts.append(f"below {'±' if unit == '°' else ''}{high:g}{unit}")
    return ", ".join(parts)


@dataclasses.dataclass
class InspectSummary:
    """Counts over all inspected pictures."""

    pictures: int = 0
    without_face: int = 0
    unusable: Counter[str] = dataclasses.field(default_factory=Counter)
    accepted: int = 0
    refused: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, readings: Sequence[FaceReading]) -> None:
        """Count one picture; a refused face counts under its first reason."""
        self.pictures += 1
        self.without_face += not readings
        for reading in readings:
            if reading.missed:
                self.refused[next(iter(reading.missed))] += 1
            else:
                self.accepted += 1

    def line(self) -> str:
        """All counts in one line."""
        refused = self.refused.total()
        parts = [f"{_count(self.pictures, 'picture')}, {_count(self.accepted + refused, 'face')}"]
        parts.append(f"{self.accepted} accepted")
        parts.append(f"{refused} refused{_by_code(self.refused)}")
        if self.without_face:
            parts.append(f"{_count(self.without_face, 'picture')} without a face")
        if self.unusable:
            parts.append(f"{_count(self.unusable.total(), 'file')} not usable{_by_code(self.unusable)}")
        return "; ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _by_code(counts: Counter[str]) -> str:
    if not counts:
        return ""
    return " (" + ", ".join(f"{code} {number}" for code, number in counts.most_common()) + ")"
