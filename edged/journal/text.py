"""An explanation in plain English lines, for a terminal or a log. No markup, no database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from edged.journal.explanation import Explanation, Recognition, Refusals, RelayOutcome
from edged.reasons import describe

_STAGES = {
    "wait": "waiting for the frame",
    "detect": "finding the face",
    "measure": "measuring it",
    "embed": "template",
    "search": "search",
    "cloud": "cloud",
}


def sentence(explained: Explanation) -> str:
    """The decision and its reason, in one or two sentences."""
    reason = describe(explained.reasons[0]) if explained.reasons else None
    if explained.ordered:
        refused = f" Refused: {reason}" if reason else ""
        return f"An order: {explained.ordered}.{refused}"
    if explained.outcome == "granted":
        return f"Granted to {_who(explained)}: {reason or 'no reason was recorded.'}"
    if explained.outcome == "denied":
        return f"Denied to {_who(explained)}: {reason or 'no reason was recorded.'}{_also(explained)}"
    if reason is None:
        return "No decision was made about this passage."
    return f"No decision was made: {reason}"


def render(explained: Explanation, zone: tzinfo | None = None) -> str:
    """The whole story, several lines, each fact once.

    Args:
        zone: zone of the wall times; None for that of the machine.
    """
    return "\n".join(_lines(explained, zone))


def _lines(explained: Explanation, zone: tzinfo | None) -> Iterator[str]:
    yield sentence(explained)
    yield ""
    yield f"When      {_time(explained.at, zone)}"
    yield f"Where     door {explained.door_id or '-'}, camera {explained.camera_id or '-'}"
    yield f"Ids       passage {explained.passage_id or '-'}, decision {explained.decision_id or '-'}"
    if explained.seen_s is not None:
        yield f"Seen      for {explained.seen_s:.1f} s, at most {explained.nearest_px or 0:.0f} px wide"
    yield from _section("Shots refused", [_refusal(group) for group in explained.refusals])
    yield from _section("Shots recognised", [_recognised(answer) for answer in explained.recognitions])
    yield from _section("Rules", [_rule(rule.passed, rule.code, rule.detail) for rule in explained.rules])
    yield from _section("Relay", list(_relay(explained.relay, zone)) if explained.relay else [])
    yield from _section("Time taken", list(_timings(explained)))


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        for line in lines:
            yield f"  {line}"


def _who(explained: Explanation) -> str:
    if explained.person_id is None:
        return "a person who was not recognised"
    if explained.person_name is None:
        return explained.person_id
    return f"{explained.person_name} ({explained.person_id})"


def _also(explained: Explanation) -> str:
    others = [describe(code).meaning for code in explained.reasons[1:]]
    return f" Also: {'; '.join(others)}." if others else ""


def _time(at: datetime, zone: tzinfo | None) -> str:
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {local:%z}"


def _refusal(group: Refusals) -> str:
    text = f"{group.code} x{group.count}"
    if group.best is None:
        return text
    if group.best == group.worst:
        text += f": {_number(group.best)}{group.unit}"
    else:
        text += f": best {_number(group.best)}{group.unit}, worst {_number(group.worst)}{group.unit}"
    return text if group.required is None else f"{text}, required {_number(group.required)}{group.unit}"


def _number(value: float | None) -> str:
    """Four digits: a limit that was just missed must not look kept."""
    return "-" if value is None else f"{value:.4g}"


def _recognised(answer: Recognition) -> str:
    start = f"shot {answer.shot_number}, {answer.engine}"
    if answer.error:
        return f"{start}: no answer, {answer.error}: {answer.error_detail}"
    start += f" ({answer.model_id}): "
    if answer.engine_reason:
        start = f"{start}{describe(answer.engine_reason).meaning}; "
    if answer.person_id is None:
        return f"{start}{'nobody to compare with' if answer.engine == 'local' else 'nobody came near'}"
    compared = f", {answer.gallery_people} people compared" if answer.gallery_people else ""
    return (
        f"{start}{answer.person_id}, score {_points(answer.score)}, {_points(answer.margin)} ahead of "
        f"{answer.runner_up_id or 'nobody'}, {answer.agreeing_shots} in a row{compared}"
    )


def _points(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _rule(passed: bool, code: str, detail: str) -> str:
    return f"{'pass' if passed else 'FAIL'}  {code}: {detail}"


def _relay(relay: RelayOutcome, zone: tzinfo | None) -> Iterator[str]:
    if relay.moved is None and not relay.code:
        yield "no outcome is recorded: the grant is being carried out, or the daemon was stopped"
        return
    if not relay.moved:
        yield f"{'did not move' if relay.moved is False else 'unknown'}: {relay.code}, {relay.detail}"
        if advice := describe(relay.code).advice:
            yield advice
        return
    verb = "on-time extended" if relay.extended else "switched on"
    at = f" at {_time(relay.at, zone)}" if relay.at else ""
    yield f"{verb}{at}, mode {relay.mode}{_latency(relay)}"
    yield _confirmed("on", relay.acknowledged, relay.acknowledged_ms)
    if relay.released_at is None:
        yield "the moment it was switched off is not recorded"
    else:
        on_for = "" if relay.on_ms is None else f" after {relay.on_ms:.0f} ms"
        yield f"switched off at {_time(relay.released_at, zone)}{on_for}"
        yield _confirmed("off", relay.off_acknowledged, None)


def _latency(relay: RelayOutcome) -> str:
    parts = [
        f"{value:.1f} ms after {event}"
        for value, event in (
            (relay.decision_to_relay_ms, "the decision"),
            (relay.frame_to_relay_ms, "the frame"),
        )
        if value is not None
    ]
    return f", {' and '.join(parts)}" if parts else ""


def _confirmed(state: str, acknowledged: bool | None, took_ms: float | None) -> str:
    if acknowledged is None:
        return f"the board cannot confirm that it is {state}"
    took = "" if took_ms is None else f" in {took_ms:.1f} ms"
    return f"the board {'confirmed' if acknowledged else 'did NOT confirm'} that it is {state}{took}"


def _timings(explained: Explanation) -> Iterator[str]:
    for stage, ms in explained.timings_ms.items():
        yield f"{ms:7.1f} ms  {_STAGES.get(stage, stage)}"
