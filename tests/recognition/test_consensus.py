"""How the answers of one passage add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edged.config import RecognitionConfig
from edged.recognition.consensus import (
    Consensus,
    ConsensusRules,
    Verdict,
    add_answer,
    add_failure,
    margin_of,
    rules_by_engine,
)
from edged.recognition.protocol import Identification, Match

RULES = ConsensusRules(threshold=90, margin=5, agreeing_shots=2, max_shots=5)


def match(person: str, score: float) -> Match:
    return Match(person, face_id=1, cosine=0.5, score=score)


def answer(
    person: str | None,
    score: float = 95,
    second: float = 30,
    fused: tuple[str, float, float] | None = None,
    people: int = 10,
    engine: str = "local",
) -> Identification:
    matches = () if person is None else (match(person, score), match("other", second))
    together = None if fused is None else (match(fused[0], fused[1]), match("other", fused[2]))
    return Identification(engine, "m", matches, people, fused_matches=together)


def fold(*answers: Identification, rules: ConsensusRules = RULES) -> tuple[Consensus, list[Verdict]]:
    state, verdicts = Consensus(), []
    for one in answers:
        state, verdict = add_answer(state, one, rules)
        verdicts.append(verdict)
    return state, verdicts


def test_two_shots_naming_the_same_person_confirm():
    state, (first, second) = fold(answer("anna"), answer("anna"))
    assert (first.agreeing_shots, first.final) == (1, False)
    assert (second.agreeing_shots, second.final) == (2, True)
    assert state.final


def test_one_shot_confirms_when_one_is_asked_for():
    _, (only,) = fold(answer("anna"), rules=ConsensusRules(90, 5, 1, 5))
    assert (only.agreeing_shots, only.final) == (1, True)


def test_another_person_on_top_starts_the_count_again():
    _, verdicts = fold(answer("anna"), answer("bert"), answer("anna"))
    assert [v.agreeing_shots for v in verdicts] == [1, 1, 1]
    assert not verdicts[-1].final


def test_a_shot_too_close_to_the_second_person_does_not_agree():
    _, (verdict,) = fold(answer("anna", score=95, second=91))
    assert (verdict.agreeing_shots, verdict.margin) == (0, 4)


def test_a_margin_exactly_as_asked_is_enough():
    _, (verdict,) = fold(answer("anna", score=95, second=90))
    assert verdict.agreeing_shots == 1


def test_score_and_margin_are_those_of_the_fused_shots():
    _, (_, second) = fold(answer("anna", 85), answer("anna", 86, fused=("anna", 93, 40)))
    assert (second.score, second.margin, second.agreeing_shots, second.final) == (93, 53, 2, True)


def test_fused_shots_do_not_carry_over_to_a_shot_that_resembles_the_person_too_little():
    """Somebody else took over the track; in a library of one person they have the same top match."""
    state, (_, second) = fold(answer("anna", 99), answer("anna", 40, fused=("anna", 95, 0)))
    assert (second.score, second.agreeing_shots) == (40, 0)
    assert state.run == ()


def test_fused_shots_that_name_somebody_else_start_the_count_again():
    _, (_, second) = fold(answer("anna", 91), answer("anna", 91, fused=("bert", 93, 40)))
    assert (second.person_id, second.score, second.agreeing_shots) == ("anna", 91, 1)


def test_attempts_used_up_end_the_passage_unconfirmed():
    state, verdicts = fold(*[answer("anna", 50)] * 5)
    assert [v.final for v in verdicts] == [False] * 4 + [True]
    assert verdicts[-1].agreeing_shots == 0
    assert state.final


def test_failures_use_up_attempts_but_leave_the_run():
    state, _ = fold(answer("anna"))
    state = add_failure(state, RULES)
    assert (state.attempts, len(state.run), state.final) == (2, 1, False)
    _, verdict = add_answer(state, answer("anna"), RULES)
    assert verdict.agreeing_shots == 2


def test_failures_alone_end_the_passage():
    state = Consensus()
    for _ in range(RULES.max_shots):
        state = add_failure(state, RULES)
    assert state.final


def test_nobody_to_compare_with_is_final_at_once():
    _, (verdict,) = fold(answer(None, people=0))
    assert (verdict.person_id, verdict.score, verdict.final) == (None, 0.0, True)


def test_answers_of_two_engines_do_not_add_up():
    _, verdicts = fold(answer("anna"), answer("anna", engine="cloud"), answer("anna"))
    assert [v.agreeing_shots for v in verdicts] == [1, 1, 1]


def test_a_stranger_to_the_cloud_gets_a_second_shot_and_no_third():
    rules = rules_by_engine(RecognitionConfig(), 5)["cloud"]
    _, verdicts = fold(answer(None, engine="cloud"), answer(None, engine="cloud"), rules=rules)
    assert [v.final for v in verdicts] == [False, True]


def test_somebody_the_cloud_missed_once_may_still_be_recognised():
    rules = rules_by_engine(RecognitionConfig(), 5)["cloud"]
    _, (_, second) = fold(answer(None, engine="cloud"), answer("anna", 85, engine="cloud"), rules=rules)
    assert (second.person_id, second.agreeing_shots, second.final) == ("anna", 1, True)


def test_each_engine_has_the_limits_of_its_own_section():
    config = RecognitionConfig.model_validate(
        {"threshold": 93.0, "margin": 4.0, "agreeing_shots": 3, "cloud": {"threshold": 82.0, "margin": 6.0}}
    )
    rules = rules_by_engine(config, 7)
    assert (rules["local"].threshold, rules["local"].margin, rules["local"].agreeing_shots) == (93, 4, 3)
    assert (rules["cloud"].threshold, rules["cloud"].margin, rules["cloud"].agreeing_shots) == (82, 6, 1)
    assert {r.max_shots for r in rules.values()} == {7}


def test_without_a_configured_threshold_the_size_of_the_gallery_sets_it():
    rules = ConsensusRules(None, 5, 1, 5)
    _, (small,) = fold(answer("anna", 91, people=1000), rules=rules)
    _, (large,) = fold(answer("anna", 91, people=1001), rules=rules)
    assert (small.agreeing_shots, large.agreeing_shots) == (1, 0)


def test_margin_over_nobody_is_the_whole_score():
    assert margin_of((match("anna", 95),)) == 95


answers = st.builds(
    answer,
    st.sampled_from(["anna", "bert", None]),
    st.floats(60, 100),
    st.floats(0, 60),
    st.none() | st.tuples(st.sampled_from(["anna", "bert"]), st.floats(60, 100), st.floats(0, 60)),
)


@given(st.lists(answers, max_size=8))
def test_confirmation_always_rests_on_that_many_last_shots_near_the_threshold(history):
    state = Consensus()
    seen: list[Identification] = []
    for one in history:
        if state.final:
            break
        seen.append(one)
        state, verdict = add_answer(state, one, RULES)
        if verdict.agreeing_shots:
            last = seen[-verdict.agreeing_shots :]
            assert all(a.matches and a.matches[0].person_id == verdict.person_id for a in last)
            assert all(a.matches[0].score >= RULES.threshold - 10 for a in last)
            assert verdict.score >= RULES.threshold
            assert verdict.margin >= RULES.margin
    assert state.attempts <= RULES.max_shots
