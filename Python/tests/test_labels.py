"""Labels that are compared, and those that are missing."""

import decimal

import numpy as np
import pytest
from sets import points

import highland

X, TRUTH = points()


def missing():
    nan = float("nan")
    yield from [
        [0, None, 1], ["a", None, "b"], [0.0, nan, 1.0], ["a", nan, "b"], np.array([0, nan, 1], "f4"),
        np.array(["2020", "NaT", "2021"], "M8[D]"), np.ma.masked_array([3, 4, 5], [0, 1, 0]), [0j, complex(0, nan), 1j],
        [decimal.Decimal(1), decimal.Decimal("nan"), decimal.Decimal(2)]]


def missing_in_frames():
    pandas = pytest.importorskip("pandas")
    yield from [
        pandas.Series([1, None, 2], dtype="Int64"), pandas.Series(["a", None, "b"], dtype="string"),
        pandas.Series(["a", None, "b"], dtype="category"), pandas.Series([1, pandas.NA, "b"]),
        pandas.to_datetime(pandas.Series(["2020-01-01", None, "2021-01-01"]))]


@pytest.mark.parametrize("kinds", [missing, missing_in_frames])
def test_missing_labels_are_refused_with_their_row(kinds):
    for labels in kinds():
        with pytest.raises(ValueError, match="labels: row 1 has no label"):
            highland.evaluate(labels, [1, 2, 3])
        with pytest.raises(ValueError, match="truth: row 1 has no label"):
            highland.evaluate([1, 2, 3], labels)
        with pytest.raises(ValueError, match="y: row 1 has no label"):
            highland.train(X[:3], labels)
        with pytest.raises(ValueError, match="groups: row 1 has no label"):
            highland.Highland().fit(X[:3], groups=labels)


def test_labels_are_of_one_kind():
    for labels in [["a", 1], np.array(["a", 1], object)]:
        with pytest.raises(TypeError, match="labels: .* expected one kind"):
            highland.evaluate(labels, [1, 2])


def test_minus_one_is_a_label_like_any_other():
    assert highland.evaluate([-1, -1, 0, 0], [5, 5, 6, 6])["pairwise"]["f"] == 1


def test_labels_come_before_the_truth_or_have_their_names():
    halves, one = [0, 0, 1, 1], [0, 0, 0, 0]
    for measures in [highland.evaluate(halves, one), highland.evaluate(truth=one, labels=halves)]:
        assert measures["pairwise"]["precision"] == 1 and measures["pairwise"]["recall"] == pytest.approx(1 / 3)
