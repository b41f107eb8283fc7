"""Combines the answers for the shots of one passage, and decides when no further shot is needed. A pure fold.

A run is a row of shots that each, by themselves, name the same person and come near the threshold. The score
reported for a run is that of its shots fused. A shot that names somebody else, or nobody convincingly, ends
the run: evidence for one person never counts for another who takes their place in the track. Answers
of two engines do not add up either: their scores mean different things.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from edged.config import RecognitionConfig
from edged.gallery.match import Match
from edged.gallery.score import default_threshold
from edged.recognition.protocol import CLOUD, LOCAL, Identification

SINGLE_SHOT_SLACK: Final = 10.0
"""Points by which one shot of a run may miss the threshold that the fused score must reach. At the default
threshold of 90 every shot still reaches what one-to-one comparison asks for a false-accept rate of 1e-4."""

CLOUD_NOBODY_SHOTS: Final = 2
"""The cloud answers "nobody" both for a stranger and for a person whom it did not recognise on this picture.
Each further shot is a paid call, so one more is enough."""


@dataclass(frozen=True)
class ConsensusRules:
    """When an answer counts.

    Attributes:
        threshold: score to reach, 0..100; None: the default for the size of the gallery.
        margin: points by which the best person must lead the second.
        agreeing_shots: length of a run that confirms.
        max_shots: attempts one passage has.
        nobody_shots: so many answers in a row without a match end the passage.
    """

    threshold: float | None
    margin: float
    agreeing_shots: int
    max_shots: int
    nobody_shots: int = 1


@dataclass(frozen=True)
class Consensus:
    """State of one passage: attempts used, the current run, whether it is over, and the number of answers in
    a row without a match."""

    attempts: int = 0
    run: tuple[Identification, ...] = ()
    final: bool = False
    nobody: int = 0


@dataclass(frozen=True)
class Verdict:
    """Meaning of one more answer; fields as in `FaceIdentified`. `best` is the match behind it."""

    person_id: str | None
    score: float
    margin: float
    runner_up_id: str | None
    agreeing_shots: int
    final: bool
    best: Match | None = None


def add_answer(state: Consensus, answer: Identification, rules: ConsensusRules) -> tuple[Consensus, Verdict]:
    """Fold one answer in.

    Args:
        rules: rules for the engine that answered.

    The verdict is final when the person is confirmed, when the attempts are used up, or after `nobody_shots`
    answers without a match.
    """
    attempts = state.attempts + 1
    if not answer.matches:
        nobody = state.nobody + 1
        final = nobody >= rules.nobody_shots or attempts >= rules.max_shots
        return Consensus(attempts, (), final, nobody), Verdict(None, 0.0, 0.0, None, 0, final)
    threshold = threshold_of(answer, rules)
    run, matches = _continue_run(state.run, answer, threshold - SINGLE_SHOT_SLACK)
    score, margin = matches[0].score, margin_of(matches)
    agreeing = len(run) if score >= threshold and margin >= rules.margin else 0
    final = agreeing >= rules.agreeing_shots or attempts >= rules.max_shots
    runner_up = matches[1].person_id if len(matches) > 1 else None
    verdict = Verdict(matches[0].person_id, score, margin, runner_up, agreeing, final, matches[0])
    return Consensus(attempts, run, final), verdict


def add_failure(state: Consensus, rules: ConsensusRules) -> Consensus:
    """Count an attempt without an answer; it neither extends nor ends the run."""
    attempts = state.attempts + 1
    return replace(state, attempts=attempts, final=state.final or attempts >= rules.max_shots)


def rules_by_engine(config: RecognitionConfig, max_shots: int) -> dict[str, ConsensusRules]:
    """Rules for each engine, because their scores mean different things."""
    cloud = config.cloud
    return {
        LOCAL: ConsensusRules(config.threshold, config.margin, config.agreeing_shots, max_shots),
        CLOUD: ConsensusRules(
            cloud.threshold, cloud.margin, cloud.agreeing_shots, max_shots, CLOUD_NOBODY_SHOTS
        ),
    }


def threshold_of(answer: Identification, rules: ConsensusRules) -> float:
    """Score that a match of `answer` must reach."""
    return rules.threshold if rules.threshold is not None else default_threshold(answer.gallery_people)


def margin_of(matches: tuple[Match, ...]) -> float:
    """Lead of the best person over the second in points; the whole score when there is no second."""
    return matches[0].score - (matches[1].score if len(matches) > 1 else 0.0)


def _continue_run(
    run: tuple[Identification, ...], answer: Identification, floor: float
) -> tuple[tuple[Identification, ...], tuple[Match, ...]]:
    own, fused = answer.matches, answer.fused_matches
    if own[0].score < floor:
        return (), own
    if not run or (run[-1].engine, run[-1].matches[0].person_id) != (answer.engine, own[0].person_id):
        return (answer,), own
    if fused is None:
        return (*run, answer), own
    if not fused or fused[0].person_id != own[0].person_id:
        return (answer,), own
    return (*run, answer), fused
