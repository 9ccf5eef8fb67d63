"""Clusters within groups, and numbers of clusters."""

import numpy as np
import pytest
from sets import points

import highland

X, TRUTH = points()
GROUPS = np.arange(len(X)) * 7 % 3


@pytest.mark.parametrize("count", [1, 2, 5, 12, 13, 40, len(X)])
def test_the_number_of_clusters_is_the_one_that_is_given(count):
    labels = highland.Highland(n_clusters=count).fit_predict(X)
    assert np.array_equal(np.unique(labels), np.arange(count))
    if count == 12:
        assert highland.evaluate(labels, TRUTH)["nmi"] > 0.9
    if count < 12:
        # Nearly whole groups are merged.
        assert highland.evaluate(labels, TRUTH)["pairwise"]["recall"] > 0.9


def test_numbers_of_clusters_may_be_bounds():
    assert highland.Highland(n_clusters=(2, 5)).fit_predict(X).max() == 4
    assert highland.Highland(n_clusters=(20, 30)).fit_predict(X).max() in range(19, 30)
    free = highland.Highland(n_clusters=(1, len(X)), tau=0.5).fit_predict(X)
    assert np.array_equal(free, highland.Highland(tau=0.5).fit_predict(X))


def test_copies_are_one_cluster_of_the_number():
    twice = np.concatenate([X[:20], X[:20]])
    model = highland.Highland(n_clusters=30).fit(twice)
    assert model.labels_.tolist() == 2 * list(range(20))


def test_a_group_is_clustered_as_if_it_were_alone():
    model = highland.Highland(tau=0.5).fit(X, groups=GROUPS)
    assert model.report_["groups"]["groupCount"] == 3 and len(model.cluster_layers_) == 1
    found = [model.labels_[GROUPS == group] for group in range(3)]
    assert len(np.unique(model.labels_)) == sum(len(np.unique(labels)) for labels in found)
    for group, labels in enumerate(found):
        alone = highland.Highland(tau=0.5).fit_predict(X[GROUPS == group])
        assert highland.evaluate(labels, alone)["pairwise"]["f"] == 1


def test_groups_may_have_names_and_numbers_of_clusters():
    names = np.array(["first", "second", "third"])[GROUPS]
    model = highland.Highland(n_clusters=4)
    labels = model.fit_predict(X, groups=names)
    assert [len(np.unique(labels[GROUPS == group])) for group in range(3)] == [4, 4, 4]
    assert np.array_equal(labels, highland.Highland(n_clusters=4, threads=1).fit_predict(X, groups=GROUPS.tolist()))


def test_groups_that_make_no_sense_are_refused():
    for groups, text in [(GROUPS[:5], "groups of 5 rows, but X has 192"), (X, "one label per row")]:
        with pytest.raises(ValueError, match=text):
            highland.Highland().fit(X, groups=groups)
    with pytest.raises(ValueError, match="groups with method='auto'"):
        highland.Highland(method="auto").fit(X, groups=GROUPS)
