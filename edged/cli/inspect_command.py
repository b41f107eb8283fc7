"""`edged inspect`: measure faces in pictures and videos against the quality limits; say what would happen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from edged.cli.common import ConfigOption, printable, resolve_config
from edged.cli.inspect_input import InputPicture, Unusable, is_many, read_all
from edged.cli.inspect_liveness import FaceLiveness, LivenessWatch
from edged.cli.inspect_output import Canvas, open_canvas
from edged.cli.inspect_view import InspectSummary, as_json, brief_line, face_table, reason_lines
from edged.config import QualityLimits
from edged.errors import EdgedError
from edged.vision.drawing import SIDES, draw_faces
from edged.vision.faces import FaceReader, FaceReading
from edged.vision.opencv import prepare_opencv

app = typer.Typer()

_MOST_FACES = 50


@app.command("inspect")
def inspect_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Pictures, videos, folders of them.")],
    config: ConfigOption = None,
    enrol: Annotated[bool, typer.Option("--enrol", help="Use the limits for enrolling.")] = False,
    every: Annotated[
        float,
        typer.Option(min=0.0, max=3600.0, metavar="SECONDS", help="Pause between frames of a video; 0: all."),
    ] = 0.5,
    draw: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT", help="Draw: .png or .jpg (a contact sheet of several pictures), .mp4 (a film)."
        ),
    ] = None,
    brief: Annotated[
        bool | None,
        typer.Option(
            "--brief/--full",
            help="A line or a table a face; else a line for folders and videos.",
            show_default=False,
        ),
    ] = None,
    to_json: Annotated[bool, typer.Option("--json", help="One JSON object a picture.")] = False,
) -> None:
    """Measure the faces in pictures and videos and tell which would be recognised, and why not.

    A file that cannot be read is reported on standard error and gives the exit code; the others are looked at
    all the same.
    """
    vision = resolve_config(config).vision
    limits = vision.enrol_quality if enrol else vision.quality
    rich_in_pictures = any(is_many(path) for path in paths)
    many = rich_in_pictures or len(paths) > 1
    canvas = None if draw is None else open_canvas(draw, many=many, fps=1 / every if every else 25.0)
    prepare_opencv(vision.threads)
    reader = FaceReader(max_faces=_MOST_FACES)
    watch = None if enrol or vision.liveness.mode == "off" else LivenessWatch(vision)
    summary, failure = InspectSummary(), None
    printer = _Printer(limits, brief=rich_in_pictures if brief is None else brief, to_json=to_json)
    for item in read_all(paths, every):
        if isinstance(item, Unusable):
            failure = failure or item.error
            summary.unusable[item.error.code] += 1
            printer.unusable(item)
            continue
        readings = reader.read(item.image, limits)
        summary.add(readings)
        lives = [None] * len(readings) if watch is None else watch.look(item, readings)
        printer.faces(item, readings, lives)
        if canvas is not None:
            _draw(canvas, item, readings, lives)
    if many and not to_json:
        typer.echo(summary.line())
    if canvas is not None:
        typer.echo(canvas.finish(), err=True)
    if failure is not None:
        raise typer.Exit(failure.exit_code)


def _draw(
    canvas: Canvas, picture: InputPicture, readings: list[FaceReading], lives: Sequence[FaceLiveness | None]
) -> None:
    notes = ["" if live is None else f"liveness {live.score:.2f}  {live.word}" for live in lives]
    canvas.add(draw_faces(picture.image, readings, picture.caption, notes=notes, sides=canvas.sides or SIDES))


class _Printer:
    """Faces and errors to the terminal, as text or as JSON lines."""

    def __init__(self, limits: QualityLimits, *, brief: bool, to_json: bool) -> None:
        self._limits = limits
        self._brief = brief
        self._to_json = to_json
        self._console = Console(highlight=False)

    def unusable(self, item: Unusable) -> None:
        error: EdgedError = item.error
        if self._to_json:
            _print_json({"file": str(item.path), "error": error.code, "message": str(error)})
        else:
            typer.echo(f"edged: {printable(str(error))}", err=True)

    def faces(
        self, picture: InputPicture, readings: list[FaceReading], lives: Sequence[FaceLiveness | None]
    ) -> None:
        if self._to_json:
            _print_json(as_json(picture, readings, lives))
            return
        if not readings:
            self._console.print(f"{picture.name}: no face found", markup=False, soft_wrap=True)
            return
        if not self._brief:
            height, width = picture.image.shape[:2]
            self._console.print(f"{picture.name} ({width}x{height})", markup=False, soft_wrap=True)
        for number, (reading, live) in enumerate(zip(readings, lives, strict=True), 1):
            if self._brief:
                self._console.print(brief_line(picture, number, reading, live), soft_wrap=True)
            else:
                self._console.print(face_table(number, reading, self._limits, live))
                for line in reason_lines(reading, live):
                    self._console.print(line, markup=False, soft_wrap=True)


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))
