"""How `edged aim` shows what the camera sees: a live table, or one line a second. No measuring."""

from __future__ import annotations

from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from edged.cli.inspect_view import shown
from edged.config import QualityLimits
from edged.vision.advice import AimingAdvice
from edged.vision.faces import FaceReading

_MOST_ROWS = 8
_ANGLES = ("yaw_deg", "pitch_deg", "roll_deg")


@dataclass(frozen=True)
class View:
    """The content of the display at one moment.

    Attributes:
        source: the camera, credentials masked.
        size: width and height of the picture, pixels; None before the first one.
        camera_fps, looked_fps: pictures a second that came, and that were looked at; None while not known.
        faces: of the newest picture, largest first, judged.
        distances_m: of the same faces; None without an angle of view.
        advice: what to change.
        trouble: what is wrong with the camera; empty when nothing is.
    """

    source: str
    size: tuple[int, int] | None
    camera_fps: float | None
    looked_fps: float | None
    faces: tuple[FaceReading, ...]
    distances_m: tuple[float | None, ...]
    advice: tuple[AimingAdvice, ...]
    trouble: str


def line(view: View) -> str:
    """The view in one line: picture, rates, every face."""
    if view.trouble:
        return view.trouble
    if view.size is None:
        return "waiting for the first picture"
    faces = "; ".join(
        _face_words(reading, away) for reading, away in zip(view.faces, view.distances_m, strict=True)
    )
    return f"{_picture_words(view)}; {faces or 'no face'}"


def _picture_words(view: View) -> str:
    width, height = view.size or (0, 0)
    return f"{width}x{height}, {_fps(view.camera_fps)} fps, looked at {_fps(view.looked_fps)}"


def _fps(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"


def _face_words(reading: FaceReading, away_m: float | None) -> str:
    measures = reading.measures
    parts = [f"{measures.face_px:.0f} px"]
    if away_m is not None:
        parts.append(f"{away_m:.1f} m")
    parts.append(f"light {shown('illumination', measures.illumination)}")
    parts += [f"{name.removesuffix('_deg')} {shown(name, getattr(measures, name))}" for name in _ANGLES]
    parts.append(f"blur {shown('blur', measures.blur)}")
    return f"face {', '.join(parts)}: {', '.join(reading.missed) or 'accepted'}"


def screen(view: View, limits: QualityLimits) -> RenderableType:
    """The view as it stands in the terminal and changes in place."""
    if view.trouble:
        head = Text(view.trouble, style="red")
    elif view.size is None:
        head = Text("Waiting for the first picture …")
    else:
        head = Text(_picture_words(view))
    title = Text.assemble((view.source, "bold"), "  ", ("Ctrl-C ends", "dim"))
    return Group(title, head, _faces_table(view, limits), _advice_text(view.advice))


def _faces_table(view: View, limits: QualityLimits) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("face", "size", "distance", "light", "yaw", "pitch", "roll", "blur"):
        table.add_column(name, justify="right")
    table.add_column("verdict", min_width=20)
    for number, (reading, away) in enumerate(zip(view.faces, view.distances_m, strict=True), 1):
        if number > _MOST_ROWS:
            break
        measures = reading.measures
        table.add_row(
            str(number),
            shown("face_px", measures.face_px),
            "-" if away is None else f"{away:.1f} m",
            shown("illumination", measures.illumination),
            *(shown(name, getattr(measures, name)) for name in _ANGLES),
            shown("blur", measures.blur),
            ", ".join(reading.missed) or "accepted",
            style="red" if reading.missed else "green",
        )
    if not view.faces:
        table.add_row(*["-"] * 8, "no face")
    table.add_section()
    table.add_row("limit", *_limit_cells(limits), style="dim")
    return table


def _limit_cells(limits: QualityLimits) -> list[str]:
    angles = (limits.max_yaw_deg, limits.max_pitch_deg, limits.max_roll_deg)
    return [
        f"{limits.min_face_px:g} px",
        "",
        f"{limits.min_illumination:g}-{limits.max_illumination:g}",
        *(f"±{angle:g}°" for angle in angles),
        f"{limits.max_blur:g}",
        "",
    ]


def _advice_text(advice: tuple[AimingAdvice, ...]) -> Text:
    if not advice:
        return Text("Nothing to change about the camera.", style="green")
    return Text("\n").join(Text(f"• {one.text}") for one in advice)
