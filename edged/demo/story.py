"""The run in words for people: one short line per fact that matters, and the table at the end."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from edged.demo.summary import Summary
from edged.events import (
    AccessDecided,
    CameraConnected,
    CameraLost,
    ComponentFailed,
    DaemonStarted,
    DoorLocked,
    DoorUnlocked,
    Event,
    GateAlarmRaised,
    GateConnected,
    GateLost,
    GrantNotExecuted,
    Outcome,
    ShotRefused,
    SourceEnded,
    SubscriberFailed,
    TrackStarted,
)
from edged.reasons import describe

_MEASURED = {
    "face_too_small": "face_px",
    "too_dark": "illumination",
    "too_bright": "illumination",
    "too_blurred": "blur",
    "face_incomplete": "completeness",
    "yaw_too_large": "yaw_deg",
    "pitch_too_large": "pitch_deg",
    "roll_too_large": "roll_deg",
}


class Story:
    """Tells the events of one run. `take` gives lines with rich markup.

    Args:
        start_s: monotonic time that counts as zero.
    """

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self._numbers: dict[str, int] = {}
        self._told: set[tuple[str, str]] = set()

    def take(self, event: Event, now_s: float) -> list[str]:
        """The lines for `event`, usually none or one."""
        if isinstance(event, ShotRefused) and not self._news(event):
            return []
        text = self._text(event)
        if not text:
            return []
        return [f"[dim]{now_s - self._start_s:6.1f} s[/dim]  {self._who(event)}{text}"]

    def _news(self, event: ShotRefused) -> bool:
        """Whether this passage is refused for this reason for the first time."""
        key = (event.passage_id or "", event.reasons[0])
        fresh = key not in self._told
        self._told.add(key)
        return fresh

    def _who(self, event: Event) -> str:
        if event.passage_id is None:
            return ""
        number = self._numbers.setdefault(event.passage_id, len(self._numbers) + 1)
        return f"[cyan]visitor {number}[/cyan]  "

    def _text(self, event: Event) -> str:
        match event:
            case DaemonStarted():
                return f"ready in {event.ready_s:.1f} s; {event.people} people enrolled"
            case CameraConnected():
                return f"camera {escape(event.source)}: {event.width}x{event.height}"
            case CameraLost() | GateLost():
                return f"[red]{escape(event.reason)}[/red] {escape(event.hint)}"
            case GateConnected():
                return f"relay board on {escape(event.port)}, relay off"
            case TrackStarted():
                return "comes into view"
            case ShotRefused():
                return f"[yellow]{_refusal(event)}[/yellow]"
            case AccessDecided():
                return _decision(event)
            case DoorUnlocked():
                latency = event.frame_to_relay_ms
                tail = "" if latency is None else f" {latency:.0f} ms after the frame"
                return f"[green]door unlocked[/green]{tail}"
            case DoorLocked():
                return "[dim]door locked[/dim]"
            case GrantNotExecuted():
                return f"[red]the relay was not moved: {escape(event.reason)}[/red]"
            case GateAlarmRaised():
                return f"[red]{escape(event.reason)}[/red]"
            case ComponentFailed() | SubscriberFailed():
                return f"[red]{escape(event.error)}[/red]"
            case SourceEnded():
                return "the scene is over" if event.complete else f"[red]{escape(event.reason)}[/red]"
        return ""


def _refusal(event: ShotRefused) -> str:
    code = event.reasons[0]
    value = getattr(event.measures, _MEASURED[code], None) if code in _MEASURED else None
    text = describe(code).meaning.rstrip(".")
    limit = event.limits.get(code)
    return text if value is None or limit is None else f"{text} ({value:.3g}, limit {limit:g})"


def _decision(event: AccessDecided) -> str:
    if event.outcome is Outcome.GRANTED:
        score = "" if event.score is None else f", score {event.score:.0f}"
        return (
            f"[bold green]granted: {escape(event.person_name or event.person_id or '')}[/bold green]{score}"
        )
    why = describe(event.reasons[0]).meaning.rstrip(".")
    more = f" ({', '.join(event.reasons[1:])})" if len(event.reasons) > 1 else ""
    score = "" if event.score is None else f", best score {event.score:.0f}"
    return f"[bold red]denied[/bold red]: {escape(why)}{more}{score}"


def summary_table(summary: Summary, read: int, analysed: int, dropped: int) -> Table:
    """The table at the end of the demo."""
    table = Table(title="Summary", title_justify="left", show_header=False)
    table.add_row("passages", str(summary.passages))
    table.add_row("granted", str(summary.granted))
    table.add_row("denied", str(summary.denied.total()))
    for code, count in summary.denied.most_common():
        table.add_row(f"  {code}", str(count))
    for code, count in summary.not_executed.most_common():
        table.add_row(f"relay not moved: {code}", str(count))
    table.add_row("recognitions per passage", f"{summary.recognitions_per_passage:.2f}")
    latency = summary.latency_ms()
    if latency["p50"] is not None:
        table.add_row(
            "frame to relay, ms", f"p50 {latency['p50']}, p95 {latency['p95']}, max {latency['max']}"
        )
    table.add_row("frames read / analysed / dropped", f"{read} / {analysed} / {dropped}")
    return table
