"""Scores freed from the choice of questions, and no comparison where nothing links two people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.comparison import difficulty_adjusted


def panel(seed=0, people=8, questions=30, share=0.5):
    """A connected panel: everybody answered the first question, the rest by chance."""
    rng = np.random.default_rng(seed)
    answered = rng.random((people, questions)) < share
    answered[:, 0] = answered[0] = True
    who, what = np.nonzero(answered)
    skill, hard = rng.normal(0, 0.1, people), rng.random(questions)
    return who, what, skill, hard


@given(seed=st.integers(0, 200))
def test_it_finds_the_skill_behind_a_biased_choice_of_questions(seed):
    who, what, skill, hard = panel(seed)
    result = difficulty_adjusted(skill[who] + hard[what], who, what)
    assert result.n_components == 1
    np.testing.assert_allclose(result.adjusted, skill + hard.mean(), atol=1e-9)
    order = np.array(result.question, dtype=int)
    np.testing.assert_allclose(result.difficulty, hard[order] + skill.mean(), atol=1e-9)


def test_who_picks_easy_questions_looks_better_only_before_the_adjustment():
    # Bob is worse by .1 on what both answered, and took ten easy ones besides.
    score = [0.2, 0.4, 0.3, 0.5] + [0.05] * 10
    who = ["ann", "ann", "bob", "bob"] + ["bob"] * 10
    what = ["q1", "q2", "q1", "q2", *range(10)]
    result = difficulty_adjusted(score, who, what)
    assert result.raw[1] < result.raw[0]
    assert result.adjusted[1] - result.adjusted[0] == pytest.approx(0.1)
    assert result.n.tolist() == [2, 12]


@given(seed=st.integers(0, 50))
def test_where_all_answered_all_it_is_the_plain_mean(seed):
    who, what = np.divmod(np.arange(60), 12)
    score = np.random.default_rng(seed).random(60)
    result = difficulty_adjusted(score, who, what)
    np.testing.assert_allclose(result.adjusted, result.raw, atol=1e-10)


@given(seed=st.integers(0, 50))
def test_it_is_the_least_squares_fit(seed):
    who, what, *_ = panel(seed, people=5, questions=9)
    score = np.random.default_rng(seed).random(len(who))
    result = difficulty_adjusted(score, who, what)
    design = np.zeros((len(who), 14))
    design[np.arange(len(who)), who] = design[np.arange(len(who)), 5 + what] = 1
    effects = np.linalg.lstsq(design, score, rcond=None)[0]
    np.testing.assert_allclose(result.adjusted, effects[:5] + effects[5:].mean(), atol=1e-9)


@given(seed=st.integers(0, 50))
def test_rows_and_names_may_come_in_any_order(seed):
    who, what, *_ = panel(seed)
    rng = np.random.default_rng(seed)
    score, order = rng.random(len(who)), rng.permutation(len(who))
    plain = difficulty_adjusted(score, who, what)
    moved = difficulty_adjusted(score[order], [f"p{w}" for w in who[order]], what[order])
    by_name = dict(zip(moved.forecaster.tolist(), moved.adjusted.tolist(), strict=True))
    for name, value in zip(plain.forecaster.tolist(), plain.adjusted.tolist(), strict=True):
        assert by_name[f"p{name}"] == pytest.approx(value, abs=1e-10)


def test_a_harder_question_for_all_moves_no_difference():
    who, what, skill, hard = panel()
    score = skill[who] + hard[what]
    plain = difficulty_adjusted(score, who, what).adjusted
    moved = difficulty_adjusted(score + 0.5 * (what == 3), who, what).adjusted
    np.testing.assert_allclose(np.diff(moved), np.diff(plain), atol=1e-9)


def test_two_groups_without_a_shared_question_are_never_compared():
    score = [0.1, 0.3, 0.2, 0.4, 0.5]
    who = ["ann", "bob", "ann", "cat", "dan"]
    what = ["q1", "q1", "q2", "q3", "q3"]
    result = difficulty_adjusted(score, who, what)
    assert result.n_components == 2
    assert result.component.tolist() == [0, 0, 1, 1]
    assert result.question_component.tolist() == [0, 0, 1]
    assert np.isnan(result.adjusted).tolist() == [False, False, True, True]
    assert np.isnan(result.difficulty).tolist() == [False, False, True]
    assert not np.isnan(result.raw).any()
    other = difficulty_adjusted(score, who, what, component=1)
    assert np.isnan(other.adjusted).tolist() == [True, True, False, False]
    assert other.adjusted[3] - other.adjusted[2] == pytest.approx(0.1)
    # One shared question links them all.
    linked = difficulty_adjusted([*score, 0.2], [*who, "dan"], [*what, "q2"])
    assert linked.n_components == 1
    assert not np.isnan(linked.adjusted).any()


def test_components_of_one_size_go_by_name_whatever_the_order_of_rows():
    result = difficulty_adjusted([0.1, 0.2], ["bob", "ann"], ["q1", "q2"])
    assert dict(zip(result.forecaster, result.component.tolist(), strict=True)) == {
        "ann": 0,
        "bob": 1,
    }


def test_one_score_is_its_own_adjustment():
    result = difficulty_adjusted([0.3], ["ann"], ["q"])
    assert result.adjusted.tolist() == pytest.approx([0.3])
    assert result.difficulty.tolist() == pytest.approx([0.3])


def test_names_may_be_tuples_and_scores_may_repeat():
    result = difficulty_adjusted([0.1, 0.3, 0.4], [("a", 1), ("a", 1), ("b", 1)], ["q", "q", "q"])
    assert result.adjusted == pytest.approx([0.2, 0.4])


def test_a_long_chain_of_acquaintances_is_still_solved():
    # Each shares one question with the next: the worst case for an iterative solver.
    people = 300
    who = np.repeat(np.arange(people), 2)
    what = who + np.tile([0, 1], people)
    rng = np.random.default_rng(0)
    skill, hard = rng.normal(size=people), rng.normal(size=people + 1)
    result = difficulty_adjusted(skill[who] + hard[what], who, what)
    np.testing.assert_allclose(result.adjusted - hard.mean(), skill, atol=1e-7)
