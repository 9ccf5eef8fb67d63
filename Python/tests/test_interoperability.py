"""Libraries that take what Highland makes."""

import numpy as np
import pytest
from sets import points

import highland

X, TRUTH = points()


@pytest.mark.filterwarnings("ignore")
def test_neighbours_are_those_of_umap():
    umap = pytest.importorskip("umap")
    indices, similarities = highland.knn_graph(X, 10)
    reducer = umap.UMAP(
        n_neighbors=10, metric="cosine", precomputed_knn=(indices, 1 - similarities), n_epochs=5, random_state=0)
    assert reducer.fit_transform(X).shape == (len(X), 2) and np.array_equal(reducer._knn_indices, indices)


@pytest.mark.filterwarnings("ignore")
def test_topics_are_its_clusters():
    bertopic = pytest.importorskip("bertopic")
    reduction = pytest.importorskip("bertopic.dimensionality")
    documents = [f"word{label} text{label} {place}" for place, label in enumerate(TRUTH)]
    topics, _ = bertopic.BERTopic(
        umap_model=reduction.BaseDimensionalityReduction(), hdbscan_model=highland.Highland(),
        embedding_model=None).fit_transform(documents, X)
    assert highland.evaluate(topics, TRUTH)["pairwise"]["f"] == 1
