"""`edged inspect`: measure the faces of pictures against the quality limits and say what would happen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from edged.cli.common import ConfigOption, resolve_config
from edged.config import QualityLimits
from edged.errors import EdgedError
from edged.events import Measures
from edged.pictures import read_picture
from edged.vision.faces import FaceReader, FaceReading
from edged.vision.opencv import prepare_opencv

app = typer.Typer()

_COLUMNS = ("face_px", "yaw_deg", "pitch_deg", "roll_deg", "blur", "illumination", "completeness")


@app.command("inspect")
def inspect_(
    pictures: Annotated[list[Path], typer.Argument(metavar="IMAGE…", help="Pictures to look at.")],
    config: ConfigOption = None,
    enrol: Annotated[bool, typer.Option("--enrol", help="Use the limits for enrolling.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a picture.")] = False,
) -> None:
    """Measure the faces in pictures and tell which would be recognised, and why not."""
    vision = resolve_config(config).vision
    limits = vision.enrol_quality if enrol else vision.quality
    prepare_opencv(vision.threads)
    reader = FaceReader(max_faces=50)
    failure: EdgedError | None = None
    for path in pictures:
        try:
            readings = reader.read(read_picture(path), limits)
        except EdgedError as error:
            failure = failure or error
            if as_json:
                typer.echo(json.dumps({"file": str(path), "error": error.code, "message": str(error)}))
            else:
                typer.echo(f"edged: {error}", err=True)
            continue
        if as_json:
            typer.echo(json.dumps({"file": str(path), "faces": [_as_dict(r) for r in readings]}))
        else:
            _print_table(path, readings, limits)
    if failure is not None:
        raise typer.Exit(failure.exit_code)


def _as_dict(reading: FaceReading) -> dict[str, Any]:
    return {
        "box": [round(v, 1) for v in reading.detection.box],
        "measures": {name: _rounded(getattr(reading.measures, name)) for name in (*_COLUMNS, "detection")},
        "verdict": "refused" if reading.missed else "accepted",
        "reasons": list(reading.missed),
        "limits": reading.missed,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _print_table(path: Path, readings: list[FaceReading], limits: QualityLimits) -> None:
    if not readings:
        typer.echo(f"{path}: no face found")
        return
    table = Table(title=str(path), title_justify="left", caption=_limits_text(limits), caption_justify="left")
    for name in ("face", "px", "yaw", "pitch", "roll", "blur", "light", "complete", "verdict"):
        table.add_column(name, justify="left" if name == "verdict" else "right")
    for number, reading in enumerate(readings, 1):
        cells = [_cell(reading.measures, name) for name in _COLUMNS]
        verdict = ", ".join(reading.missed) or "accepted"
        table.add_row(str(number), *cells, verdict, style="" if reading.missed else "green")
    Console().print(table)


def _cell(measures: Measures, name: str) -> str:
    value = getattr(measures, name)
    if value is None:
        return "?"
    return f"{value:.2f}" if name in ("blur", "completeness") else f"{value:.0f}"


def _limits_text(limits: QualityLimits) -> str:
    return (
        f"limits: {limits.min_face_px:g} px, angles < {limits.max_yaw_deg:g}/{limits.max_pitch_deg:g}/"
        f"{limits.max_roll_deg:g}°, blur < {limits.max_blur:g}, light {limits.min_illumination:g}-"
        f"{limits.max_illumination:g}, complete >= {limits.min_completeness:g}"
    )
