"""Makes the events of recognition: answers, failures and passages given up. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from edged.errors import TryAnotherShot
from edged.events import FaceIdentified, PassageExhausted, RecognitionFailed, ShotChosen, TrackEnded
from edged.recognition.consensus import Verdict
from edged.recognition.protocol import (
    CLOUD,
    HYBRID,
    LOCAL,
    EngineUnavailable,
    Identification,
    SpoofSuspected,
)
from edged.recognition.shot_queue import Passage


def identified(at: datetime, shot: ShotChosen, answer: Identification, verdict: Verdict) -> FaceIdentified:
    """Event for the answer to one shot and its meaning for the passage."""
    best = verdict.best
    return FaceIdentified(
        **_about(at, shot),
        shot_number=shot.shot_number,
        captured_s=shot.captured_s,
        engine=answer.engine,
        engine_reason=answer.reason,
        model_id=answer.model_id,
        person_id=verdict.person_id,
        score=verdict.score,
        margin=verdict.margin,
        runner_up_id=verdict.runner_up_id,
        agreeing_shots=verdict.agreeing_shots,
        gallery_people=answer.gallery_people,
        final=verdict.final,
        measures=shot.measures,
        liveness=shot.liveness,
        cloud_name=best.name if best else None,
        cloud_groups=best.groups if best else (),
        timings_ms={**shot.timings_ms, **answer.timings_ms},
    )


def failed(at: datetime, shot: ShotChosen, engine: str, error: Exception) -> RecognitionFailed:
    """Event for a shot without an answer."""
    return RecognitionFailed(
        **_about(at, shot),
        shot_number=shot.shot_number,
        engine=_asked(engine, code_of(error)),
        code=code_of(error),
        reason=str(error) if hasattr(error, "code") else f"{type(error).__name__}: {error}",
    )


def _asked(engine: str, code: str) -> str:
    """The engine that failed inside a hybrid: codes of the cloud begin with its name."""
    if engine != HYBRID:
        return engine
    return CLOUD if code.startswith(CLOUD) else LOCAL


def code_of(error: Exception) -> str:
    """Stable code of an engine's exception."""
    return getattr(error, "code", "engine_error")


def denial_of(error: Exception) -> tuple[str, ...]:
    """Reason codes of a denial because of this failure, the deciding one first."""
    code = code_of(error)
    if isinstance(error, SpoofSuspected):
        return "spoof_suspected", code
    if isinstance(error, EngineUnavailable):
        return ("cloud_unavailable", code, error.cause) if error.cause else ("cloud_unavailable", code)
    if isinstance(error, TryAnotherShot):
        return "no_usable_shot", code
    return "recognition_failed", code


def given_up(at: datetime, shot: ShotChosen, passage: Passage) -> PassageExhausted:
    """Event for a passage whose last attempt failed in the engine, so that the person gets an answer."""
    return PassageExhausted(
        **_about(at, shot), reasons=passage.denial, measures=shot.measures, **_of_engine(passage)
    )


def exhausted(at: datetime, passage: Passage) -> PassageExhausted | None:
    """Event for a passage that ended without an answer to decide on. None for a face that never came near,
    which is no request for access."""
    end, last = passage.end, passage.last
    if end is None or passage.settled:
        return None
    if isinstance(last, FaceIdentified):
        reasons: tuple[str, ...] = ("not_confirmed",) if last.agreeing_shots else ("not_recognised",)
    elif last is not None:
        reasons = passage.denial
    elif any(code != "face_too_small" for code in end.refusals):
        reasons = ("no_usable_shot", *end.refusals)
    else:
        return None
    return PassageExhausted(**_about(at, end), reasons=reasons, **_of_engine(passage))


def _of_engine(passage: Passage) -> dict[str, Any]:
    """Engine and measures of the last answer."""
    last = passage.last
    if isinstance(last, FaceIdentified):
        return {
            "engine": last.engine,
            "engine_reason": last.engine_reason,
            "score": last.score,
            "measures": last.measures,
        }
    return {"engine": last.engine} if last is not None else {}


def _about(at: datetime, of: ShotChosen | TrackEnded) -> dict[str, Any]:
    """Fields that every event copies from the shot or the end of the track."""
    return {
        "at": at,
        "passage_id": of.passage_id,
        "door_id": of.door_id,
        "camera_id": of.camera_id,
        "track_id": of.track_id,
    }
